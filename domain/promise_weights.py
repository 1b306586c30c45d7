"""What the signs of a claim weigh, in hundredths; written by `make promise-weights`."""

LEARNED_FROM = "d165e049c411aec8"

WEIGHTS = """
&&-41 &&.-34 &,+12 &,&-18 &,.-11 &,E-16 &,I-45 &,J-17 &,e-41 &,f+3 &,i-19 &,q-7 &.-43 &:+12 &?-53
&A+19 &Ay+13 &C+9 &E+31 &E.-28 &H+18 &H.-14 &HV+22 &I+18 &I,-18 &I.-21 &II-30 &IJ-25 &IW+23 &Ib-16
&Ip-27 &Iy-22 &J-8 &J&-42 &J,-30 &J.-52 &J?-10 &JI+16 &JJ+24 &Jc+50 &Je+2 &Jy+20 &K-18 &L-28 &N-20
&N&+16 &N.-18 &O+11 &O.+9 &P+13 &P.+13 &R-16 &R.-9 &T+5 &V+10 &V.-10 &Vy-23 &W+52 &W.-1 &WJ+9
&Ws+20 &Wy+46 &Y+13 &a+28 &ad+17 &b-25 &c+14 &c.-3 &cJ+43 &cy+53 &d-6 &d.+23 &dJ-20 &dO+21 &dg-18
&ds+34 &dy+17 &dz+18 &e+4 &e.-38 &eI-17 &es+29 &f-5 &f.-12 &fA+29 &fH+15 &fV+23 &fW+19 &fc+27
&ft-12 &fy+27 &g-22 &g.-10 &h-12 &h.-29 &hb+23 &i+11 &i.-22 &id+26 &in-18 &j+25 &jW+4 &k+17 &l+21
&l.+6 &n-24 &n&-5 &n,-14 &n.-25 &o-6 &p-27 &p.-22 &pe-11 &pp-8 &q+17 &s-32 &s,-11 &s.-17 &sI-19
&sW+29 &sc-41 &se+4 &sf-27 &sp-11 &sy-61 &t+53 &t.+27 &tJ+29 &v-42 &v.-27 &vy-28 &w+10 &x+14 &x.+28
&y-11 &y&-3 &y.-27 &y?-18 &yH+16 &yI+7 &yJ-15 &yP+24 &yW+56 &ya+10 &yc+3 &yd+6 &ye-22 &yf-14 &yl+26
&yn-12 &yp-13 &ys-38 &yt+33 &yy-36 &z+36 &z,+17 &z.+10 ,&-34 ,&,-35 ,&.-52 ,&?-19 ,&E+22 ,&I+2
,&J+9 ,&N-28 ,&O+10 ,&R-23 ,&W-8 ,&Y+10 ,&c+34 ,&d-29 ,&e+2 ,&f+35 ,&i-30 ,&j-27 ,&n-31 ,&o-5
,&p-26 ,&s-40 ,&t+8 ,&v-27 ,&w+6 ,&y-21 ,,-25 ,,&-24 ,,,-38 ,,.+12 ,,I-40 ,,d+28 ,,l-21 ,,s+11
,,u-30 ,.+9 ,:+23 ,?-51 ,A-12 ,Ai-17 ,As+22 ,B+7 ,B,-41 ,B.+27 ,C-13 ,E+9 ,H+53 ,I+16 ,I&-17 ,I,+24
,I.+13 ,II-51 ,Ie-34 ,In-4 ,Ip-36 ,Is+3 ,Iy-28 ,J+18 ,J&-24 ,J,-28 ,J.+49 ,J?-10 ,JJ-3 ,JR+30
,JW+30 ,Jc+55 ,Jn-30 ,Jp-20 ,Jy-12 ,K+27 ,L-31 ,L.-28 ,N-28 ,N.-32 ,NO-27 ,O-7 ,O.+29 ,Oe-5 ,Os-5
,P-9 ,Ps-27 ,R+17 ,R,-30 ,R.-14 ,RW+39 ,Rc+21 ,Re+3 ,Rn-22 ,Ry+46 ,T-23 ,T.-1 ,TJ-33 ,TL-13 ,TO-10
,TP+13 ,TW+29 ,Ti-11 ,To-6 ,Tp-12 ,Ts-38 ,Tx+22 ,Ty-13 ,V-37 ,V.-27 ,Vs-31 ,W+19 ,W&+8 ,W.+3 ,WJ+17
,Ws-10 ,Wy+2 ,Y+27 ,a+9 ,ad+48 ,ai+8 ,ay-25 ,b-45 ,b.-30 ,b?-20 ,bC-8 ,bd+22 ,c+33 ,c.+29 ,cJ+17
,cs-34 ,d+4 ,d.+16 ,dL-8 ,de+40 ,e-6 ,e.+13 ,eI-23 ,eO+35 ,eW-35 ,ed+7 ,ee+24 ,ef+15 ,en-6 ,ep-38
,es+8 ,ey+14 ,f+2 ,f.-54 ,fC+9 ,fH-12 ,fV+26 ,fk+8 ,fs+21 ,ft+10 ,fy-18 ,g-16 ,g,-20 ,h-24 ,h&-7
,h.-35 ,hI-11 ,hb-30 ,hd+4 ,i+14 ,i.-35 ,iN-19 ,ia+15 ,id+25 ,ij+3 ,in+13 ,it+9 ,ix+7 ,j+21 ,j.+24
,jW-14 ,jn+30 ,jx+9 ,jy+23 ,k+15 ,l-54 ,l.-40 ,n+24 ,n&-12 ,n,+36 ,n.+21 ,ns-44 ,o-23 ,o?-13 ,p+19
,p&-19 ,p,-33 ,p.+29 ,pI+18 ,ph-8 ,ps-2 ,py+34 ,q-7 ,q.+39 ,qR+3 ,qo-12 ,s-4 ,s,+42 ,s.+16 ,s:+6
,sA+30 ,sH+24 ,sI+21 ,sJ-5 ,sW+12 ,sa-26 ,sb-24 ,sc+31 ,sd+46 ,se+32 ,sf+13 ,sn-9 ,sp+23 ,ss+22
,st+35 ,sy+13 ,t+50 ,t.-14 ,td+26 ,ts+35 ,u+10 ,u.-30 ,ud+16 ,up+26 ,v-38 ,v&-14 ,v,-21 ,v.-49
,vO-15 ,vs-17 ,vy-26 ,w-22 ,w.-9 ,wf+30 ,ws-50 ,x.+42 ,xy+12 ,y+6 ,y,-39 ,y.-20 ,yI-45 ,yJ+7 ,yR+15
,yW-16 ,ya+4 ,yc+22 ,ye-13 ,yf-14 ,yk+8 ,yn+9 ,ys-22 ,yt+16 ,yx-16 ,yy+25 ,yz+14 ,z+11 ,z.+53
,zJ-10 ,zy+10 .-49 :&-40 :&.-33 :&I-24 :,-4 :,&-6 :,,-31 :,.-36 :,J+10 :,n+43 :.-9 :?-20 :I+31
:I&-26 :J-17 :J,+17 :N-21 :O-1 :R-6 :T-9 :W+18 :a+37 :ad+36 :b-22 :c+20 :d-47 :d,-9 :e-12 :h-26
:i+13 :j+17 :k-16 :n+50 :n.+27 :p+2 :p,+16 :pR-8 :s+16 :v-27 :v,-6 :y-17 :y,-11 :yW+17 :yc+20 :z+31
?-123 A&+8 A&y+27 A,+14 A,&+5 A,y-8 A.+19 A?-11 AB-28 AH+16 AI+22 AJ+45 AJs+32 AP+14 AR+26 ARc+33
AT+15 AV+32 AW+8 Ac+65 Ae+19 Af-11 Af.-18 Afp-25 Ai-17 Aj+43 Al+28 Ap-34 Ap,-24 As+4 As&+29 As,+18
As.+28 AsW+17 Ass+36 Asy+45 At-21 Aw+29 Ay-4 Ay.+13 AyB-28 Az+19 B&-29 B,+1 B,,-8 B,?-7 B,i+7
B,n+18 B.-19 B?-7 BJ-36 BT-16 BW+1 Bc+2 Bd-16 Be+4 Bi+7 Bk-5 Bks-24 Bn+31 Bn.-15 Bs-20 Bs.-38 Bt+30
Bv-30 BvJ-23 Bw-42 By+34 C&-17 C,+35 C.+45 C?-34 CI+9 CII-29 CJ+14 CK+20 CL-14 CO+40 CO.+47 CW+38
Cc+8 Cd-25 Cf+17 Ch-10 Cj+17 Cp-15 Cs+30 Cs,+18 Cs.+26 CsI+32 CsL-8 Css+28 Csw-42 Cv-32 Cw-23 Cy-26
Cy.+16 CyL-9 E&+5 E&,-23 E,+30 E,&-18 E,I+29 E.-25 E:+10 E?-14 EC-11 EE-16 EI+5 EI.-43 EIg-18 EJ-25
EJ&-26 ER+2 EW+37 Ea+10 Ec-3 Ed-21 Ed,+39 Ed.-21 EdJ-68 Edp-34 Ef+21 EfC+17 Eg-28 Egg-18 Eh-22
Ei+25 Ej+33 El+16 En-22 En.-29 Ep-53 Ep&-13 Ep.-39 EpJ-24 Es+42 Ew-42 Ey+43 Ez+28 H&+31 H&.-37
H&W+42 H,+25 H,J+28 H.+74 H:+11 H?-25 HH+23 HI+1 HJ+71 HJ.+51 HJJ+11 HK+10 HO+29 HR+15 HV+22 HW+59
Ha+28 Hb+10 Hc+19 Hd+9 He+30 Hf+12 Hh+5 Hi+30 Hp+31 Hs+42 Hs.+19 Hs?-9 HsJ+16 Hss+20 Hw+57 Hw.+36
HwJ+20 HwR+15 Hws+23 Hy+26 Hy.+22 HyJ+21 Hyw+7 I&-65 I&.-43 I&I-23 I&J-37 I&W-3 I&a+13 I&e-21 I&p-9
I&s-18 I&y+15 I,+15 I,&-40 I,,+23 I,.-69 I,I-59 I,J-46 I,R-22 I,W-37 I,a+23 I,e+52 I,l-30 I,p-24
I,s-26 I,y-19 I,z+28 I.-42 I:-42 I:&-31 I:,-6 I?-34 IE-41 IE.-26 IEI-29 IH+24 II-69 II&-26 II,-14
II.-94 II:-6 III-46 IIJ-56 IIp-34 IIs-31 IIy+38 IJ-51 IJ&-38 IJ,-14 IJ.-52 IJ?-16 IJI-16 IJJ-2
IJq-6 IK-8 IK.-41 IN+17 INs+17 IO+57 IO.-31 IP-11 IR-17 IT+15 IW-11 IW&-28 IW.+17 IWy+36 Ia+34
Ib-26 Ib.-15 Ic+49 Id+64 Id.+10 IdO+60 Ie,-33 Ie.-50 IeI-39 Ied+1 If-19 Ig-37 Ig,-30 Ig.-27 IgJ-11
Igs-11 Ih+20 Ihb+28 Ii+12 Ij+40 Il-19 In+14 In,+11 In.-52 Ip-53 Ip&-22 Ip.-51 IpJ-28 Iq-7 Is-15
Is&-37 Is,+19 Is.-47 It+25 Iv+13 Iw-27 Iw.-24 Ix+45 Ix.+37 Iy+45 Iy,+35 Iy.+37 IyJ-35 Iyd+36 Iye+8
Iz+44 Iz,+8 J&-23 J&,-21 J&.-14 J&I+23 J&J-34 J&c-33 J&d+37 J&v-19 J&y-30 J,-23 J,&-36 J,,+18 J,.-7
J,I+4 J,J-15 J,W+33 J,d-28 J,e-35 J,f+45 J,i+35 J,l-19 J,p+39 J,s+48 J,t+25 J,y-7 J.+8 J:-49 J?-50
JB+7 JB,+7 JC+44 JE-61 JEd-45 JH+59 JH.+44 JHs+26 JI+17 JI,-25 JI.+3 JII-24 JJ+33 JJ&-3 JJ,+15
JJ.+14 JJH+25 JJJ+12 JJT+31 JJW+7 JJb+10 JJc+55 JJs+9 JJy+13 JK-11 JN-13 JO+40 JO.+31 JP+38 JP&+42
JR+29 JRy+30 JT-2 JTd+32 JW+44 JW&+21 JW.+25 JWO+9 JWW+24 JWs+32 JWy+28 Ja+21 Jb-27 Jb.-36 Jbd-13
Jc+19 Jc.+34 Jcs+49 Jcy+19 Jd-24 Jd,+10 Jd.+52 Je-47 Je.-30 Jed-35 Jf+23 Jf.-26 JfC+23 JfI-35
Jfs+11 Jg-6 Jh+32 Jhb+39 Ji+43 Jj-30 Jjn-40 Jk+32 Jl-20 Jn-82 Jn,-16 Jn.-67 Jo-16 Jp-17 Jp,-22
Jp.-40 Jpy+18 Jq-21 Js+106 Js,-24 Js.+31 JsC+16 JsW+43 Jss-2 Jt+52 Jt.+25 Ju+55 Jv+31 Jv&+45 Jw-43
Jw.-23 JwI-28 Jx+45 Jx.+33 Jy+44 Jy&+44 Jy.+52 JyI-9 JyJ+6 JyW+20 Jyc+28 Jyn-35 Jyt+12 Jz+4 Jz.+51
K&-31 K,-4 K,w+27 K,y+10 K.+19 K?-14 KI-2 KJ+17 KJ,-2 KO+26 KR+35 KT-14 KW+3 Kc+11 Ke+7 Kg+17 Kh+20
Kj+22 Kn-26 Kp+12 Ks+20 Ks.+25 Ksj+16 Kt+10 Kw+27 Ky+51 Ky.+19 KyJ+27 Kz+23 L&-7 L.-31 L?-17 LJ-10
Ld-12 Ld.-9 Lh-10 Lp-7 Ls-15 Ls.-16 Ly+26 N&-25 N,-3 N.-36 N?-25 NH-23 NI-33 NJ+33 NK+17 NO-35
NO.-31 NT+17 Nc+3 Nd+22 Ne+28 Nf-17 Nn-27 Np-22 Ns+5 Ns,+20 Nv-12 Ny,-16 Ny.-34 O&-18 O&c+33 O&f+23
O&s-36 O&y-10 O,-22 O,&+15 O,.-22 O,a+5 O,c-29 O.+16 O:-25 O?-25 OA-19 OAf-25 OB+26 OC+16 OI+5
OI.+18 OId+34 OIp-26 OJ-17 OJ,-31 OJ.+5 OJJ+14 OJd+25 OK-34 ON-14 OO+27 OR+23 OT-23 OV-22 OV.-44
OW+2 Oa+33 Ob+3 ObC-2 Obd+13 Obn-28 Oc+4 Od+46 Od,+25 Od.+64 OdJ-3 Odh+21 Oe-6 Oe.-29 OeI-3 Oeb+28
Oed+2 Oej-1 Oes+33 Of-20 Og-12 Ohb+32 Ohj+22 Oi+27 Oj+5 Ojd+24 Ok-6 Ol-45 OlT-16 On-52 On.-21
On:-19 Op-20 Op,+28 Op.+11 Or-22 Ory-25 Os+6 Os,+29 Os.-23 OsW+55 Osc+17 Osy+56 Ot+15 Ov+19 Ow-17
Ox-6 Oy+18 Oy.+35 Oz-1 Oz.+47 OzI-31 OzJ+9 Ozs+9 P&-5 P&J+7 P,-49 P,I-33 P,W-35 P.+12 P?-33 PH+17
PI-27 PJ+14 PK+40 PKs+28 PKy+28 PV-9 PW-22 Pe+11 Pg+16 Pj+20 PjK+20 Pn-36 Pp-6 Ps+26 Pv-9 Py+27
R&-26 R,-5 R,R+28 R,s+26 R.+35 R?-28 RH+21 RI+13 RJ+49 RJ.+32 RK+45 RL+10 RO-14 RR+40 RT+29 RW-8
RW.+18 RWy+25 Ra+9 Rb+13 Rc+62 Rc&-17 Rc.+30 RcJ+33 Rcy+20 Rd+41 Re+43 Red+38 Rf-19 Rh+4 Rj+23
Rn-33 Rn.-35 Rp+24 Rs+23 Rt-13 Rw+18 Ry+27 Ry.+51 RyK+25 Ryc+36 Ryy+8 T&+15 T,-7 T.-43 T:-22 T?-35
TA+13 TC-9 TH+14 TI+28 TJ-40 TJJ-32 TK+2 TL-15 TN+23 TO-29 TOe-13 TP+13 TPK+13 TR+5 TT-37 TV-5
TW+14 TWj+17 TWp-12 Ta-25 Tb-39 Tc+5 Td-25 Td,+16 Td.+2 TdJ+1 Te+17 Tf+13 Th-38 ThC-8 Thb-26 Ti+4
Tj+6 Tk-5 Tl-2 Tl.-11 Tn-21 Tn.-14 To-7 To?-6 Tp-37 Tr-11 Ts-41 Tsh-20 Tss+11 Tsy+11 Tt+37 Tts+33
Tu-6 Tud-6 Tv+9 Tw+28 Tx-32 Tx.+22 Ty-46 Ty.-35 Ty?-11 Tyc-19 Tye-19 Tyh-19 Tyy-26 V&-28 V,-2 V.-15
V?-16 VI+26 VJ+3 VJ.+21 VO-11 VR-9 VT+12 VV-23 VW+13 Vb-4 Vd+28 Ve+39 Vf-22 Vh-1 Vk-16 Vs-59 Vs.-23
Vv-27 Vw+40 VwR-9 Vy+35 Vy.-5 VyJ+34 VyV+11 Vyy+29 W&-25 W&,+18 W&.-39 W&I-22 W&J-13 W&W+32 W&c+17
W&p-16 W&s-14 W&y+67 W,+8 W,&-25 W,.+24 W,J+23 W,R+26 W,n-30 W,s+55 W,v-29 W,y+20 W.+25 W:+11 W?-52
WA+40 WB+9 WE-15 WH+9 WI+29 WI&-25 WI,-29 WI.+27 WJ-3 WJ&+10 WJJ+44 WJW+12 WJv+36 WJy+37 WK+33
WK,+16 WKy-1 WN-11 WO+66 WO&-3 WO.+38 WOJ+37 WOy+21 WP+27 WR+19 WR,+2 WT+31 WV-3 WW+45 WW.+37
WWJ+35 Wb+28 Wc+3 Wd-16 WdJ-28 We-34 We.-9 Wf-13 Wf.-18 Wfy+18 Wg-25 Wg&-23 Wj+35 Wj,+8 Wjs+16
Wjt+8 Wjy+26 Wk-22 Wl+1 Wn-51 Wn.-35 Wo-17 Wp+14 Wp.+54 Wq-37 Ws+50 Ws,+14 Ws.+65 WsJ-32 WsO+35
Wsp-22 Wss+45 Wsy+19 Wt+8 Wv-2 Ww-36 Wy+47 Wy&+34 Wy,+27 Wy.+34 WyJ-24 WyO+11 WyW+39 Wyj+8 Wyp-11
Wys+17 Wz+29 Y&-41 Y,+10 Y.+10 YH-5 YJ+34 YO+6 YV+6 YW+22 Yh+16 Yk+6 YkV+11 Ys-11 Yw-19 Yy-19 ^+28
^&-43 ^&&-18 ^&,-43 ^&.-69 ^&?-18 ^&E-40 ^&I-35 ^&J-33 ^&R-29 ^&n-14 ^&s+3 ^&x+25 ^&y-53 ^&z+14
^,+1 ^,&-73 ^,,-61 ^,.-64 ^,A+34 ^,B-8 ^,I-30 ^,J+34 ^,O-10 ^,R-18 ^,T-25 ^,V-38 ^,a+28 ^,b-25
^,d+92 ^,e+19 ^,f-3 ^,h-20 ^,i+25 ^,n-73 ^,p-8 ^,s+19 ^,t+30 ^,v-32 ^,x+52 ^,y-13 ^,z+29 ^.-58
^:-24 ^:&-21 ^:,-54 ^:s-18 ^?-121 ^A+5 ^A,+43 ^A.-45 ^AR+43 ^As+59 ^Ay-28 ^B-21 ^B,-1 ^B.-42 ^BJ-11
^BW-30 ^Bk-24 ^Bn-17 ^Bv-30 ^By+28 ^C+40 ^CI-42 ^E-23 ^E&-28 ^E,-41 ^E.-71 ^EC-47 ^EI-23 ^EJ-46
^Ed+16 ^En-22 ^Ep-29 ^H+69 ^H,+28 ^HJ+36 ^I-51 ^I&-37 ^I,-1 ^I.-115 ^I:-18 ^IE-30 ^II-29 ^IJ-78
^IN+17 ^IO+32 ^IW-42 ^Id+66 ^Ie+9 ^Ig-21 ^In-49 ^Ip-36 ^Is+16 ^Iw-17 ^Iy-25 ^Iz+38 ^J+4 ^J&+31
^J,+37 ^J.-123 ^J?-16 ^JB+7 ^JE-37 ^JI-42 ^JJ-21 ^JW+30 ^Jb-38 ^Jc+40 ^Jd+10 ^Je-35 ^Jf-30 ^Jh+42
^Jj-29 ^Jn-41 ^Jp-2 ^Js+50 ^Jt+33 ^Jy+33 ^K+13 ^L-29 ^N-34 ^N,-24 ^N.-40 ^Ns+29 ^O+15 ^O,-28 ^O.-31
^OI-34 ^OJ-15 ^OV-33 ^OW+15 ^Ob+2 ^Oc-4 ^Od+10 ^Oe-11 ^Oh+28 ^Oj+40 ^Ol-18 ^On-33 ^Op-12 ^Or-25
^Os+76 ^Ox+31 ^Oy+27 ^P&-34 ^P,-57 ^P?-32 ^R+15 ^R,+28 ^Re+39 ^Rs+25 ^T-52 ^T.-52 ^Th-23 ^Tt+33
^V-15 ^V&-10 ^Vy-46 ^W+26 ^W&-35 ^W,+8 ^W.-63 ^W?-30 ^WI-38 ^WJ-61 ^WV-38 ^Wd-17 ^Wj+8 ^Ws+43 ^Y-7
^Y.-42 ^Yk-22 ^a+62 ^aC+31 ^aO-20 ^ad+73 ^ai-10 ^aj+10 ^ap+56 ^az+38 ^b+21 ^b,-26 ^bd+69 ^bj+33
^c+31 ^c.-47 ^cT-39 ^d+75 ^d&+56 ^d,+79 ^d.+117 ^d:+48 ^dI-60 ^dJ-23 ^dO+34 ^db+37 ^de-31 ^dh-21
^dn-17 ^dp-17 ^ds+11 ^dw-37 ^dy+38 ^e-9 ^e&-40 ^e,-19 ^e.-86 ^e?-20 ^eI-51 ^eJ+40 ^eO-9 ^eT-27
^ed+31 ^ef-36 ^eg-42 ^ej+15 ^el-21 ^en-34 ^ep+21 ^eq-12 ^et+13 ^ey-21 ^ez-14 ^f+6 ^f&+9 ^f,+9
^f.-41 ^fA+37 ^fC+38 ^fH+31 ^fJ-72 ^fT-25 ^fW-2 ^fd-43 ^fh+27 ^fi-26 ^fn-30 ^fp-38 ^fr-19 ^ft+45
^fw-45 ^fy-11 ^g-104 ^g,-16 ^g.-38 ^gI-12 ^gJ-14 ^gs-42 ^h-20 ^h&-26 ^h,-31 ^h.-51 ^hI-33 ^hJ-42
^hb+48 ^he-8 ^hj+14 ^hp-12 ^hu-8 ^hy-20 ^i+24 ^iA+20 ^iI-43 ^iO-31 ^ia-3 ^id+43 ^if+18 ^ig-19
^ih+55 ^ij+15 ^in-71 ^ip+37 ^it+32 ^ix+44 ^iy-19 ^iz+23 ^j+47 ^j,+41 ^j?-43 ^jd+52 ^jn-9 ^jt+29
^jx+9 ^jy+18 ^k-39 ^k&-33 ^k.-25 ^ks-37 ^ky+30 ^l-84 ^l&-16 ^l,-55 ^l.-48 ^l:-22 ^lO-39 ^lT-33
^lb-41 ^ld-43 ^le-13 ^ll-48 ^lp-29 ^ly-10 ^n-60 ^n&-35 ^n,-6 ^n.-119 ^n:+22 ^n?-22 ^nI-29 ^nJ-46
^nK-35 ^nc-42 ^ns-35 ^ny-29 ^o-59 ^o&-39 ^o,-15 ^o:-5 ^o?-32 ^oI-10 ^oT-21 ^oc-20 ^od-17 ^oi-23
^ok-28 ^oo-36 ^op-14 ^os-19 ^ov-8 ^oy-20 ^p-21 ^p&+12 ^p,-3 ^p.-77 ^p?-25 ^pE-35 ^pI-33 ^pJ-40
^pT-11 ^pW-29 ^pd+5 ^pe+5 ^pj-14 ^pn-38 ^pp-13 ^ps-35 ^pw-25 ^py+52 ^q-86 ^q,-59 ^qI-27 ^qN-19
^qO-24 ^qW-34 ^qd-33 ^qe-45 ^qh-20 ^qi-30 ^ql-3 ^qn-41 ^qo-24 ^qp-8 ^qs-18 ^qv-12 ^qw-7 ^qy-33
^r-86 ^r,-44 ^r.-34 ^r:-18 ^rT-38 ^ri-12 ^rs-33 ^ru-24 ^ry-9 ^s+20 ^s&+11 ^s,-13 ^s.-105 ^sE-56
^sH+16 ^sI-66 ^sJ+18 ^sK-14 ^sO+13 ^sP-39 ^sR-3 ^sV-35 ^sW+26 ^sb-20 ^sc-10 ^sd+41 ^se+50 ^sf+68
^sg-51 ^sh-1 ^sj+62 ^sn-20 ^sp-14 ^ss-6 ^st-31 ^sw+38 ^sy+64 ^sz+24 ^t+107 ^t,+51 ^t.+34 ^tH+31
^tJ+11 ^tK+29 ^tR+10 ^ti+11 ^tj+13 ^ts+66 ^tw+36 ^ty+47 ^u-26 ^u,-27 ^up-10 ^v-64 ^v&-54 ^v.-51
^v:-23 ^vI-26 ^vJ-39 ^vO-36 ^vl-21 ^vp-13 ^vq-16 ^vs-34 ^vy-32 ^w-69 ^w,-57 ^w.-61 ^w?-25 ^wI-20
^wb-12 ^wd-56 ^we-39 ^wf-33 ^wh-22 ^ws-36 ^wu-39 ^wv-28 ^wy-45 ^x+123 ^x&+39 ^x,+63 ^x.+114 ^xI-21
^xJ+39 ^xO+29 ^xd+15 ^xs+36 ^xy+63 ^y+10 ^y&-8 ^y,-32 ^y.-86 ^y?-27 ^yA+20 ^yE+15 ^yI-56 ^yJ-38
^yN-25 ^yO+42 ^yP+24 ^yT+10 ^yW-18 ^ya+30 ^yb+22 ^yc+38 ^yd+16 ^ye-25 ^yf+33 ^yh-3 ^yj-14 ^yl-44
^yn+12 ^yp-25 ^ys-58 ^yt+36 ^yu-29 ^yx+26 ^yy+28 ^yz+33 ^z+85 ^z,+64 ^z.+82 ^z:+39 ^zJ+52 ^zO+39
^zy+29 a&+40 a,+27 a.+77 a:-26 a?-18 aA+25 aC+17 aH+6 aI+60 aJ+11 aK+12 aN-15 aO-15 aR+10 aT+41
aW+19 aa+17 ac+24 ad+55 ad&+35 ad,+28 ad.+60 adI+40 adJ+35 adO+34 adR+7 adT+30 adW+20 add+37 adj+22
adp-9 ads+28 ady+44 adz+8 ae+29 af+42 ah-21 ai+10 ai.+10 aiJ+14 aid+16 ain-33 aiy-15 aj+33 ajd+5
al+42 an-40 ap+52 app+34 as+31 at+6 au+15 av+17 aw+8 ay-7 ayd-22 az+28 az&+26 b&+4 b,-30 b,&-15
b,.-1 b.+20 b:+9 b?-26 bB+26 bC+33 bC.+12 bCO+26 bCs-14 bCy+16 bI+34 bK-27 bL-38 bLd-9 bO-4 bW-6
ba+9 bb-18 bc+44 bd+45 bd&+38 bd,+4 bd.+43 bd:+7 bdI+48 bdJ+49 bdL-11 bdO+19 bdj+22 bdn+35 bdp+5
bds-32 bdy+7 bdz+22 be-4 bf+15 bh+23 bi-19 bj+7 bjd+20 bl-35 bn-11 bn.-34 bp-7 bp.-19 bp?-14 bs-18
bu+14 bw+15 bx-25 by+13 bz+27 c&+10 c&t+21 c,+36 c,&-21 c,.+21 c,n+29 c,q+27 c.+33 c:-32 c:.-32
c?-30 cH-13 cH.-23 cI+45 cI.-8 cJ+64 cJ,+13 cJ.+75 cJH+20 cJJ+43 cJs+6 cJy+24 cK-5 cKJ+14 cKy+21
cO+26 cR+63 cR.+23 cRJ+24 cT-11 cW-26 cb+13 cc-37 cd+33 cd.+43 ce+29 cf+35 cf.-9 cfy+23 cg-45
cg.-34 ci+28 cj+32 cn+29 cp+22 cp.-26 cpJ+31 cpp+17 cq+37 cs-12 cs,+28 cs.-15 cs?-9 csJ-21 css+21
csy-5 ct+21 cw+72 cw.+40 cwe+25 cwy+44 cx-16 cy+65 cy,+29 cy.+49 cyJ+55 cys+17 cyy+1 cz+22 d&+28
d&,-31 d&.+50 d&I-64 d&O+28 d&W+34 d&a+13 d&d+40 d&p+22 d&s+35 d&y+1 d&z+11 d,+31 d,&-9 d,.+5
d,I+40 d,J+70 d,O+14 d,W-11 d,a+4 d,d-28 d,e-9 d,f-12 d,h+9 d,i+2 d,j+14 d,n+6 d,p+39 d,s+13 d,u+31
d,x+18 d,y+7 d,z+28 d.+80 d:+63 d:,+42 d:a+9 d?-55 dA+32 dB+26 dC+19 dE-15 dH-14 dHJ+6 dI-3 dI&-5
dI,-18 dI.-16 dIJ-9 dIy+14 dJ+5 dJ&+26 dJ,+40 dJ.-3 dJE-34 dJJ+38 dK-26 dK.-8 dL-37 dL.-37 dL?-17
dN-17 dO+73 dO&+28 dO,+36 dO.+36 dOA+7 dOI+37 dOJ+22 dOp+39 dOz+6 dP-13 dR+19 dR.-19 dT-27 dW+23
dW,+9 dW.-7 da+2 dai-12 db+52 dc-43 dd+4 dd.-27 de-16 de&-22 de,-31 de.-10 ded+41 df-7 dfs-1 dg-39
dg.-26 dgJ-33 dh-27 dhb+20 di-7 dj+62 dj,+9 dj.+29 dl-20 dl.+4 dn,-42 dn.-5 do-7 dp+24 dp&-18
dp,+14 dp.-26 dpJ-22 dpp-23 dps-7 ds-31 ds&+7 ds,+14 ds.-9 dsL-36 dss-7 dsy+10 dt+18 du+32 dv+9
dw-17 dwy+6 dx+19 dy-5 dy&-19 dy,-31 dy.+71 dyI+32 dyJ+29 dyO+16 dyj+3 dys+10 dyy+24 dz+29 dz,+9
dz.+21 e&+4 e&.-6 e&I-15 e&W-8 e,-9 e,&-19 e,.-42 e,I-51 e,s+54 e,y-46 e.-14 e:+12 e?-31 eA+28
eC+16 eE+18 eH+39 eI-13 eI,-44 eI.-58 eII-33 eIp-21 eIs+29 eJ+23 eJ,-2 eJ.-48 eJI+35 eJJ+47 eJd+57
eJw-23 eK-40 eK.-2 eL-36 eN-24 eN.-16 eO+30 eO,-9 eO.+16 eR+27 eT-32 eT?-5 eTy-26 eV+18 eW+6 eW.-36
eWI+33 eWJ+38 eWO+30 eWy+16 eY+40 ea+34 eb+50 ebd+32 ec+28 ec&+29 ed+44 ed&+5 ed,-7 ed.+67 edI-33
edJ+21 edO-3 edg-33 edl-21 edp-8 eds-53 edy+46 edz+10 ee-12 ee.+24 ef+28 ef&+28 efH+12 efW+20 eg-54
eg&-9 eg.-27 egp-20 eh+3 ei+19 ej+24 ej&-25 ejI+9 ejO+34 ejW+17 ejb+13 ejd+18 ejy+32 ejz+33 ek+35
el-45 eld-31 en-24 en,-23 en.-34 ep+12 ep&+13 ep,-11 ep.-22 eq+11 es+10 es,+42 es.-26 esW+29 et+22
ets+13 ev-22 ew-38 ew.-42 ex-20 ey+26 ey&-17 ey?-9 eyW-16 ez+2 ez,+18 ez.-14 f&+15 f,+10 f,&-24
f.+10 f?-23 fA+40 fAs+47 fC+51 fCJ+27 fCs+22 fH+24 fH.+2 fHJ+24 fHs+23 fHw+29 fHy+11 fI-5 fI.-26
fId-46 fJ+18 fJ.-37 fJJ+16 fJs+31 fK+40 fO+4 fP+37 fR+38 fT+15 fT.-30 fV+64 fV.-29 fVy+44 fW+17
fW&+26 fW.+29 fWO+21 fWW+13 fWy+1 fY+28 fb-5 fc+26 fc,+17 fc.+24 fcJ+29 fcf+18 fd-50 fd,-22 fdf-1
fds+63 fe+11 ff+32 ffy+11 fh+1 fi-21 fj+36 fk+15 fks+38 fky+23 fl+16 fn-27 fn.-47 fp-30 fp&+1
fp.-32 fps-25 fq-32 fr-19 fs+40 fs.+25 fsK+20 fss-4 ft+45 ft.+35 fts+13 fv-21 fw+21 fy+32 fy,-5
fy.-41 fyH+29 fyJ+25 fyK+31 fyc+34 fyn-35 fz-20 g&-32 g&J-8 g&g-8 g&y-13 g,-14 g,&-4 g,.-23 g.-95
g?-15 gI+2 gJ-68 gJ.-37 gJJ-32 gJs-33 gK-13 gR-18 gV-30 gW-54 gW.-20 gc-38 gd-14 ge-14 gf-9 gg-23
gg.-14 gj+28 gn-16 gn.-16 gp-27 gp.-20 gs-67 gs.-21 gsW-30 gv-6 gw-27 gw.-10 gy-27 h&-25 h&.-32
h&z+4 h,-6 h,c-21 h.-15 h:-4 h?-31 hA+7 hC+18 hCL-8 hH-29 hI-18 hI&-11 hI.-25 hII-32 hJ-6 hJ.-1
hL-16 hO+3 hR+44 hT-5 hW-12 ha+17 hb+41 hb.-13 hbC+36 hbd+53 hbp-23 hbz+14 hc+12 hd+27 hd.-18
hd?-14 hdO+39 hdp-18 hds+39 he+2 heI-8 hf-5 hg+22 hh-12 hi-3 hj+26 hjb+18 hl-31 hn+5 hn.-39 hp-4
hp&-20 hp,-21 hp.-24 hpJ-26 hps+15 hs-37 hu+7 hv-17 hy+18 hy,+19 hz+40 i&+19 i,+14 i,T-14 i.+32
i:-36 i?-26 iA+19 iH+6 iI+2 iJ+35 iJd+14 iK+8 iL+10 iN-20 iNO-16 iO-5 iO.-31 iP+27 iR+17 iT+11
iV+26 iW+16 ia-2 iaI+5 iaO-33 iad+18 iaj+1 ian-36 ias+4 id+69 id&+23 id,+20 id.+43 idO+23 idy+36
ie+21 if+14 ifH+18 ig-22 ih+24 ih,-4 ihd+39 ii-24 ij+8 ijd+10 ijx+3 ik+38 iks+8 il+27 in-48 in&-34
in,-12 in.-23 ins-24 io-16 ip+45 ipy+37 iq+23 is+28 it+9 its+18 ity+29 iw+43 ix+40 ix,+3 ix.+40
ixO+26 ixs+1 ixy+21 iy+51 iyd+16 iyn-18 iz+36 iz&+23 j&-4 j&J+30 j&W-28 j&c+30 j&f+25 j,+30 j,&+19
j,a+1 j,d+18 j,i+4 j,j+27 j,y+8 j.+65 j:-35 j?-58 jC+43 jE-15 jH+22 jI+17 jI,+9 jJ-25 jJ,+38 jJ.+27
jK+30 jKs+20 jO+18 jO,+5 jO.+34 jR+34 jV-22 jW+17 jW.+59 jWO+19 jWs+27 jWy+15 ja+12 jb+28 jbd+28
jc+49 jd+43 jd&+9 jd,+37 jd.+47 jdO+7 je+1 jed+21 jf+49 jh+9 jhb+8 ji+21 jj+23 jj.+8 jl+19 jn-31
jn,+34 jn.-46 jp+28 jp,+13 js+58 js&+19 js,+23 js.+35 jss+1 jt+34 jt.+32 jw+29 jx+22 jx.+9 jy+49
jy.+35 jyW+18 jya+5 jyc+29 jz+31 jz.+33 jzO+18 k&-47 k&.-32 k,+2 k,&-8 k.-14 k?-18 kH+12 kHd+22
kJ-10 kO-28 kR+19 kR.+16 kV+14 kV.+16 kW-39 kd+41 ke-12 kf-14 kn-11 ko-24 kq-23 ks-13 ks.-14 kss-1
ksy+37 kw-19 ky+15 l&-17 l&d-16 l,-66 l,.-30 l,I-15 l,L-12 l,T-10 l,b-11 l,d-38 l,h-26 l,p-10
l,y-25 l.-79 l:-22 lA-12 lC-17 lI-45 lI.-29 lJ-46 lL-27 lLs-16 lO-60 lO,-31 lOb-29 lR-19 lT-42
lTO-28 lTd-16 lTe-14 lTh-24 lTy-23 lW-17 lb-67 lbL-9 lbd-44 ld-81 ld,-33 ld.-49 le-35 lh-34 li-3
li,-27 lj+36 ll-49 ll,-29 ll.-28 llL-12 llO-21 llT-33 llb-9 ln-31 ln.-24 lp-31 lp,-6 ls-30 ly-43
lyl-10 n-70 n&+8 n&,-33 n&.-37 n&I-8 n&J-15 n&y-16 n,+3 n,&+1 n,.-7 n,?-22 n,A+8 n,J+14 n,N-40
n,R+11 n,T-12 n,W-11 n,a+28 n,c-33 n,e-34 n,f-25 n,i-29 n,j-30 n,l-28 n,n-43 n,o-7 n,p+16 n,q-11
n,s+42 n,y-26 n.-64 n:-9 n:e-19 n?-28 nA+22 nH+29 nI-19 nI.-18 nJ+35 nJ.+18 nK-30 nN-47 nO-18 nP-11
nR+9 nT-19 nV-17 nW+32 na+46 nc+10 nc.-42 nd-60 nd.-37 ne+2 nf+9 ni+14 nj-35 nk+26 nl-28 nn-53
nn.-12 no-17 np-6 np.-44 nq-39 ns+50 ns,-11 ns.-46 nsJ+26 nsq-26 nt+41 nv-13 nw+26 nx+21 ny-11
nyc-27 o&-38 o&?-20 o&J-10 o,-26 o,&-7 o,T-9 o,n-6 o.-62 o:-6 o:v-5 o?-47 oA-7 oH-29 oI-17 oI?-15
oJ-41 oJ?-23 oK-14 oT-16 oT?-17 oTs-22 oTy-13 oW-18 oc-21 ocs-20 od-16 oe-9 of-23 oh-20 oi-32 ok-28
oks-24 on-17 oo-45 op-14 op?-14 oq-9 os-45 os?-19 ot-33 ov-10 ox-36 oy-32 oy,-7 oy?-27 oyc-15 p&-2
p&,-17 p&.-62 p&?-27 p&d+21 p&e-35 p&p-30 p&y+31 p,+24 p,&-8 p,,-39 p,.+12 p,I+10 p,J-29 p,R+32
p,a+31 p,d-29 p,e+25 p,i+5 p,n-8 p,p+16 p,s-2 p,z-11 p.-21 p:+7 p:.-27 p?-37 pA-2 pC+19 pE-47
pEd-35 pH-1 pI-12 pI,+3 pI.+18 pIJ-10 pIp-17 pJ-28 pJ,-8 pJ.-12 pJJ-23 pJe-1 pK-24 pL-28 pN-28
pO+49 pO.+24 pP+6 pR+22 pT-12 pTs-11 pV-9 pW-6 pW.-23 pa+10 pb-9 pc+23 pd+26 pd,+38 pe+14 pe.-20
peI-14 peJ-18 ped+38 pep-11 pez+13 pf+30 pg-24 pg.-21 ph-20 phb-1 pi+14 pj+2 pj&-25 pl-29 pll-16
pn-1 pn,-21 pn.-9 pp-13 pp,+35 pp.-37 ppJ-11 ppd-18 ppp+34 ps+1 ps,+15 ps.+5 psL-6 pss+9 pt+50
pu+37 pv-9 pw-30 px+2 py+44 py,+17 py.+39 pyJ-44 pya-18 pyc+8 pyt+30 pz+13 q&-38 q,-98 q,.-26
q,f-14 q,n-14 q,s-31 q,v-9 q,y-14 q.-70 q?-39 qA-42 qH-30 qI-43 qI,-23 qJ-45 qK-37 qN-24 qN,-10
qNy-16 qO-42 qP-28 qR-21 qR.+3 qT-22 qV-21 qW-69 qWI-29 qY-29 qb-26 qc-52 qd-52 qd,-20 qd.-35 qe-42
qep-32 qf-55 qg-6 qh-32 qhp-23 qi-43 qj-33 qjn-31 qk-13 ql-3 ql,-3 qn-50 qn,-40 qn.-23 qo-27 qo,-24
qo.-12 qp-36 qs-86 qsI-9 qsJ-11 qt-60 qu-13 qv-13 qv,-11 qw-10 qx+6 qy-85 qy,-21 qyI-27 qyW-18
qyn-32 qyo-12 r&-19 r,-49 r,T-14 r,a-25 r,s-28 r.-77 r:-20 r:.-28 r?-14 rC-30 rH-38 rJ-10 rK-20
rL-22 rR-8 rT-45 rTL-8 rTs-22 rV-21 ra-53 rb-31 rd-54 rh-20 ri-14 rn-18 rp-46 rr-6 rs-57 rsC-15
rsy-26 ru-25 rx-9 ry-71 ryp-11 s&+14 s&.-50 s&I+23 s&J+12 s&c-12 s&f+49 s&j+5 s&s-27 s&t+30 s&y+48
s,+57 s,&-2 s,,+17 s,.-28 s,B+8 s,I-5 s,J+26 s,R+18 s,T+24 s,W+23 s,c+18 s,e+24 s,f+25 s,g-20
s,j+30 s,n-40 s,p+16 s,q-42 s,s+6 s,t+27 s,y+39 s.+17 s:-24 s:y+6 s?-60 sA+49 sB+38 sC+6 sC.+28
sCy-15 sE+8 sE.-25 sEI-28 sEd-42 sEg-18 sH+37 sH&+32 sH,+14 sH.-19 sH?-16 sI+20 sI&-13 sI,-33
sI.-52 sII-37 sIJ+19 sIW+22 sIg-15 sIp-37 sIy+35 sJ+58 sJ&-24 sJ,-37 sJ.-14 sJI-22 sJJ+70 sJW+44
sJc+50 sJy+35 sK-1 sK&+9 sK.+47 sL-41 sL.-34 sN-25 sO+52 sO.+7 sP-6 sR-18 sRc+14 sRy+7 sT+40 sV-17
sVy+30 sW+52 sW,+47 sW.-5 sWJ+50 sWK-11 sWO+51 sWW+47 sWf+18 sWg-30 sWj+8 sWp+19 sWs+21 sWy+53
sY+23 sa-25 sai+15 say-28 sb-11 sb,+32 sb.-45 sc+49 sc,+32 sc.+1 sc?-16 scJ+49 scK-20 scg-38 scw+25
scy+42 sd-28 sd.+40 sdy-18 se-5 se&+43 se,-47 se.-29 seI+6 seJ+56 seW+55 sef+42 seg-21 sej+41
sep-19 sey-26 sf+40 sf.+43 sfH-1 sfV+2 sfW+48 sfc+36 sfk+23 sfy+25 sg-70 sg&-16 sg.-33 sgJ-34
sgV-14 sgg-16 sh-7 shb+39 shd+1 shp-4 si+33 sj+23 sj&+28 sj,+14 sj.+15 sjW+64 sk+7 sl+32 sn-12
sn&+24 sn,+29 sn.-42 so-26 sp+6 sp&+11 sp,-20 sp.-21 spy-7 sq-15 ss+26 ss&-13 ss,+24 ss.+4 ssI-58
ssJ+11 ssO+26 ssW+76 ssc+36 sse-13 ssf+44 ssj+6 ssn-3 ssy+23 st+8 st.-18 sty+7 su+9 sv-5 sw+49
sw.-40 sx-31 sy+55 sy&-13 sy,+33 sy.+69 syH+16 syI+2 syJ+49 syP+12 syW-3 syc-13 syd+34 syh-31 syp-6
syy+46 sz-20 sz,+2 sz.-16 szy+25 t&+48 t&y+28 t,+65 t,B+37 t,J+2 t,j+16 t,q+25 t,s+11 t,t+23 t.+109
t?-35 tA+7 tB+38 tH+39 tHJ+7 tHw+31 tI+40 tJ+57 tJ.+42 tJy+16 tK+33 tKs+12 tR+30 tR,+6 tT+29 tV+5
tW+38 tb+8 tc+17 td+32 td.+27 te+51 tf+31 ti+11 tik+8 tj+23 tj.+22 tjs+15 tk+8 tn+34 tp+41 tq+25
ts+70 ts&+42 ts,+28 ts.+41 tsK+20 tsj+16 tsn+32 tss+39 tst+7 tt+33 tv+17 tw+55 twe+33 ty+41 ty,+11
ty.-1 tyj+2 tys+49 tyy+23 tz+25 u&-12 u,-30 u,&-12 u.-6 u?-21 uJ-41 ub-14 ud+3 ud,-32 ud.+16 ue-7
uf-26 up-2 up,-27 up.+26 upp+18 us+17 ut+17 uts+17 uy-21 uz-15 v&-38 v&.+12 v&d-26 v&f-15 v&p-11
v&s-24 v&v-20 v&y-17 v,-19 v,&-23 v,.-16 v,B-7 v,s+6 v,v-23 v,y+12 v.-56 v:-22 v:,-23 v?-15 vB-14
vC+26 vH-35 vI+15 vIJ-26 vJ-10 vJ&-28 vJ,-21 vJ.-32 vK+22 vO-44 vO&-36 vO.+17 vOs-15 vT-12 vW+33
vW.-11 vb-12 vc-50 vd-13 vf-37 vj-25 vl-21 vn-21 vp-22 vq-30 vs-39 vs,-23 vs.-39 vv-30 vw-29 vy-10
vy.-37 vy?-15 vyJ+26 vyO-29 w&+21 w,-52 w,s-52 w,y-30 w.-38 w?-23 wB-16 wC-19 wE-19 wH-35 wI-8
wI.-4 wJ-51 wJ.-20 wK-8 wO-51 wR+19 wR.+24 wRW-4 wT+4 wV-19 wW-60 wW,-23 wW.+11 wb-6 wbp-14 wc-39
wd-55 wd,-37 we-2 we&-5 we.+47 wed-30 wez+31 wf-34 wf.+16 wfy-22 wg-4 wh-42 whp-22 wi-28 wn+34
wp-37 ws-107 ws.-32 wsf+4 wss-11 wsz-46 wu-39 wup-27 wv-47 wv,-27 wv.-33 ww-22 wy-75 wy,-12 wz-33
wz.+15 x&+60 x&.+33 x,+73 x,&+28 x,.+37 x,J+19 x,T+31 x,z+19 x.+127 x?-40 xI+2 xII-21 xJ+19 xJ.-11
xO+41 xO.+32 xOJ+29 xOd+8 xR+4 xT+37 xW+10 xb+20 xc+10 xd+14 xdO+17 xf+25 xj+13 xn+37 xn.+28 xp+22
xs+38 xs&+8 xs,+21 xx+23 xy+22 xy.-2 xyI+32 xyJ+15 xys+7 xz+27 y&-9 y&,+29 y&.-2 y&H+4 y&J+20
y&a+27 y&c+24 y&f+38 y&v-19 y&y-27 y,+2 y,&-5 y,,-21 y,.+19 y,I+4 y,J-15 y,R+24 y,T-7 y,W+13 y,b-30
y,c-6 y,e+15 y,f+23 y,i+1 y,n-12 y,o-21 y,p+32 y,s-25 y,w-37 y,y+15 y,z+21 y.+26 y:-38 y?-65 yA+34
yA,+25 yAc+27 yB-27 yB.-23 yBs-28 yC+37 yE-23 yEd-20 yEf+17 yH+38 yH.-9 yHJ+18 yI-1 yI&+4 yI,-21
yI.-5 yII-19 yIJ-40 yIe-27 yIn-28 yIs-1 yJ+40 yJ&-23 yJ,+8 yJ.-11 yJ?-25 yJJ+25 yJP+19 yJW+26 yJe-3
yJy+16 yK+51 yK,+15 yK.+37 yL-22 yN-6 yN.-2 yO-16 yO,-29 yO.+24 yOd+11 yOe+20 yP+51 yPK+25 yPj+20
yR+10 yR.+15 yT-5 yTy-18 yV+26 yV.+17 yW+23 yW,-13 yW.-10 yWH+6 yWI+37 yWJ+25 yWp+47 yWq-29 yWs+20
yWy-8 ya+14 yad+8 yaj+3 yb+5 yb.+21 ybd+22 yc+5 yc&-24 yc,+35 yc.-53 yc?-18 ycH-9 ycI+26 ycJ+61
ycR+39 ycd+29 yce+25 ycj+28 ycp+33 ycs-2 ycw+58 ycy+37 yd+6 yd.+23 ydh+8 ye-8 ye,+32 ye.-42 ye?-22
yeC+16 yeI-39 yeJ-32 yeb+32 yed-10 yej+10 yes+47 yey-50 yf+28 yf.-13 yf?-14 yfC-3 yfH+24 yfJ+47
yfd+35 yfs+26 yg+11 yg.-13 yh-22 yhb-10 yhd-34 yi-28 yj+64 yj.+32 yj?-26 yjh+6 yjs+27 yk-8 ykH+22
yl+1 yl,-10 yl.+36 yld-26 yn,+8 yn.-48 ynI-15 yo-13 yo.-10 yp-9 yp&+10 yp,+10 yp.-23 ypC-25 ypJ+22
yq-37 yr-23 ys+7 ys,-19 ys.+12 ysW-17 ysc-33 yse-16 ysj+8 yss+18 ysy-32 yt+28 yt.-4 ytH+7 ytJ+30
yts+34 yu+11 yv-10 yw+9 yx+3 yx.-20 yy+21 yy&-7 yy,+14 yy.-5 yy?-8 yyI-26 yyJ+15 yyW+23 yyc+32
yyk+22 yz+9 yz.+41 z&+49 z&d+16 z,+67 z,&+6 z,.+40 z,I+31 z,a+5 z,e+20 z,i+10 z,j+4 z,n+35 z,s+18
z,x+18 z,y+5 z,z+27 z.+89 z:+43 z:,+14 z?-36 zH+5 zI+10 zI.-31 zJ+44 zJ,+19 zJ.+5 zO+59 zO.+47
zOI+33 zR+23 zW+24 za+4 zb+23 zc+17 zd+25 ze-13 ze.-23 zf+16 zi+20 zj+30 zj,+1 zj.+32 zn+49 zp+41
zs+31 zs&+14 zs,+15 zw+20 zx+20 zy+53 zy,+6 zy.+57 zz+41
"""
