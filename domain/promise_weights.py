"""What the signs of a claim weigh, in hundredths; written by `make promise-weights`."""

LEARNED_FROM = "e7470ac93a07d5b8"

WEIGHTS = """
!d+186 !h+160 &&-13 &&.-33 &,+28 &,&-31 &,.-11 &,E-23 &,I-47 &,J-23 &,e-44 &,f+5 &,i-13 &,q-5 &.-37
&:+8 &?-54 &A+19 &E+33 &E.-28 &H+30 &HV+22 &I+10 &I,-25 &I.-20 &II-27 &IJ-26 &IW+20 &Ib-16 &Ip-32
&J-15 &J&-8 &J,-28 &J.-61 &J?-15 &JI+17 &Jc+40 &K-9 &N-13 &N&+17 &N.-14 &O+20 &O.+11 &P+27 &R-12
&R.+2 &T+5 &V+26 &V.-9 &W+43 &W.-16 &WJ+3 &Ws+27 &Y+27 &a+17 &ad+20 &b-13 &c+61 &c.+26 &cJ+27
&cy+49 &d+6 &d.+25 &dJ-17 &dg-16 &ds+29 &dy+28 &e+10 &e.-36 &eI-14 &f+9 &f.-14 &fA+23 &fH+13 &fV+22
&fW+14 &fc+17 &ft-11 &fy+26 &g-21 &g.-19 &h+5 &h.-19 &hb+24 &i+10 &i.-22 &id+25 &in-9 &j+26 &jW+7
&k+16 &l+29 &l.+11 &m-1 &m.-27 &mW+26 &n-19 &n.-40 &nI-15 &na-7 &nm-25 &nn-34 &o-12 &p-36 &p.-25
&pe-12 &pp-7 &q+14 &s+1 &s,-10 &s.-21 &sI-16 &sc-13 &se+1 &sf-12 &sy-43 &t+40 &v-38 &v.-27 &vy-20
&w+9 &w.-15 &x+21 &x.+32 &y+20 &y&-2 &y.-43 &y?-20 &yI+8 &yJ-23 &yP+21 &yW+26 &ya+7 &yc+45 &yd+9
&ye-21 &yf-22 &ym+15 &yn+14 &yp-19 &ys-25 &yy-30 &z+28 &z,+12 &z.+17 ,&-40 ,&,-31 ,&.-45 ,&?-19
,&E+27 ,&I+4 ,&J-3 ,&N-26 ,&O+13 ,&R-12 ,&W-17 ,&Y+11 ,&c+31 ,&d-29 ,&e-15 ,&f+36 ,&i-18 ,&j-23
,&m-7 ,&n-28 ,&o-8 ,&p-34 ,&s-24 ,&v-21 ,&w+8 ,&y-28 ,,-13 ,,&-25 ,,,-27 ,,.+5 ,,I-40 ,,d+26 ,,l-25
,,s+21 ,.+2 ,:+22 ,?-53 ,A+15 ,Ai-15 ,As+17 ,C-11 ,E+14 ,H+5 ,I+15 ,I&-19 ,I.+12 ,II-47 ,Ie-35
,In-5 ,Ip-39 ,Is+6 ,J+26 ,J&-26 ,J,-26 ,J.+54 ,J?-18 ,JJ+3 ,JR+21 ,JW+30 ,Jc+40 ,Jn-16 ,Jp-30 ,Jy+8
,L-33 ,L.-16 ,N-50 ,N.-29 ,NO-41 ,O-17 ,O.+35 ,Oe-9 ,P-2 ,Ps-18 ,R+7 ,R,-21 ,R.-10 ,RW+39 ,Rc+14
,Re+7 ,Ry+25 ,T+4 ,T.-1 ,TJ-21 ,TL-10 ,TO-12 ,TW+25 ,Ti-14 ,To-14 ,Tp-20 ,Ts+6 ,Ty+16 ,V-42 ,V.-26
,Vs-30 ,W+25 ,W&-11 ,W.-5 ,WJ+17 ,Ws-26 ,Wy-16 ,Y+8 ,a+11 ,ad+41 ,ai+6 ,ay-28 ,b-32 ,b?-18 ,bC-14
,bd+20 ,c+23 ,c.+25 ,cJ+16 ,cs-24 ,d-4 ,d.+13 ,e-6 ,e.+17 ,eI-16 ,eW+3 ,ed-16 ,ef+9 ,ep-14 ,es+13
,ey+18 ,f+11 ,f.-50 ,fC+10 ,fH-6 ,fV+35 ,fk+18 ,fy-11 ,g-15 ,g&-5 ,g,-17 ,h-25 ,h.-29 ,hb-24 ,hd+17
,i-14 ,iN-11 ,ia+7 ,id+35 ,ij+9 ,im-35 ,in+10 ,it+11 ,ix-6 ,j+17 ,j.+23 ,jW-13 ,jn+17 ,k-6 ,l-40
,l.-34 ,m-11 ,m.-16 ,mW-10 ,mc-29 ,md-31 ,n+39 ,n&-16 ,n,+38 ,n.+12 ,nI+29 ,ne+6 ,nn-22 ,o-35
,o?-11 ,p+30 ,p&-17 ,p,-19 ,p.+19 ,ph-13 ,ps-4 ,py+35 ,q-2 ,q.+36 ,qR+12 ,qo-18 ,s+3 ,s,+36 ,s.+20
,s:+6 ,sA+9 ,sI+19 ,sJ+2 ,sW+9 ,sa-5 ,sb-23 ,sc+27 ,sd+32 ,se+26 ,sf-12 ,sm-9 ,ss+20 ,st+45 ,sy-28
,t+70 ,t.-4 ,td+27 ,ts+47 ,u+16 ,u.-24 ,ud+14 ,up+27 ,v-31 ,v&-12 ,v,-15 ,v.-33 ,vO-19 ,vs-21 ,w-28
,w.+5 ,ws-48 ,x+11 ,x.+35 ,y+1 ,y,-21 ,y.-27 ,yA+11 ,yI-41 ,yJ+18 ,yW-14 ,ya+4 ,yc+19 ,ye-28 ,yf-13
,ym-9 ,ys-13 ,yt+29 ,yx+14 ,yy+9 ,yz+13 ,z+7 ,z.+49 ,zJ-6 ,zy+10 .-53 :&-37 :&.-31 :&I-26 :,-6
:,&-6 :,,-24 :,.-32 :,J+12 :,n+37 :.-9 :?-25 :I+33 :I&-24 :J-6 :J,+15 :N-11 :O-2 :R-2 :T-14 :W+12
:a+38 :ad+35 :b-19 :c+21 :d-24 :d,-17 :e-12 :h-21 :i+22 :j+17 :k-12 :n+46 :p+10 :p,+11 :pR-11 :s+14
:v-20 :v,-5 :y-7 :y,-22 :yW+13 :yc+21 :z+26 ?-117 A&+34 A&y+16 A,+15 A,&+5 A,?-8 A,T+11 A,y+26
A.+12 A?-24 AH+12 AI+18 AJ+47 AJs+38 AP+12 AR+31 ARc+38 AT+10 AV+39 AW+7 Ac+58 Ae+14 Af+21 Af.-22
Ai-15 Aj+33 Al+29 Ap-2 Ap,-24 As+44 As&+35 As,+7 As.+26 AsW+9 Ass+28 Asy+35 At-15 Aw+7 Ay+3 Ay.-27
C&-16 C,+15 C.+43 C?-19 CI+4 CII-28 CJ-4 CL-15 CO+47 CO.+47 CW+26 Cc+9 Cf+15 Ch-15 Cj+14 Cp-7 Cs+37
Cs,+20 Cs.+30 CsI+33 CsL-14 Css+32 Cw-22 Cy-17 Cy.+18 CyL-13 E&+6 E&,-32 E,+28 E,&-16 E,I+28 E.-27
E:+12 E?-14 EC-8 EE-23 EI+7 EI.-48 EIg-13 EJ-12 EJ&-19 EK-14 EW+38 Ec-16 Ed-31 Ed.-68 EdJ-62 Edp-28
Ef+23 EfC+19 Eg-31 Egg-17 Eh-19 Ej+28 Em-20 En-10 Enp-17 Ep-45 Ep&-16 Ep.-37 EpJ-26 Es+34 Ew-40
Ey+42 H&+9 H&.-33 H,+22 H,J+27 H.+72 H:+11 H?-27 HH+24 HI+8 HJ+78 HJ.+49 HJJ+14 HK-15 HO+28 HR+16
HV+16 HW+36 Hc+16 Hd-10 He+12 Hf-10 Hh+14 Hp+13 Hs+61 Hs.+19 Hs?-16 HsJ+40 Hss+23 Hw+50 Hw.+26
HwJ+22 HwR+16 Hws+29 Hy+33 Hy.+27 HyJ+24 Hyw+20 I&-60 I&.-56 I&I-27 I&J-37 I&W-3 I&a+13 I&e-21
I&p-9 I&s-16 I&w-15 I&y+11 I,-2 I,&-35 I,,+32 I,.-59 I,I-30 I,J-39 I,R-24 I,W-36 I,a+15 I,e+43
I,l-33 I,p-36 I,s-21 I,y-12 I,z+31 I.-41 I:-42 I:&-24 I:,-6 I?-32 IE-42 IE.-24 IEI-37 IH-8 II-59
II&-30 II,+1 II.-94 II:-6 III-47 IIJ-55 IIp-34 IIs-30 IIy+40 IJ-43 IJ&-24 IJ,-13 IJ.-53 IJI-18
IJJ-20 IJq-8 IK-39 IO+57 IO.-27 IP-22 IR-9 IT+2 IW-9 IW&-23 IW.+16 IWy+29 Ia+22 Ib-19 Ib.-23 Ic+38
Id+68 Id.+23 IdO+57 Ie-10 Ie,-14 Ie.-50 IeI-28 Ied+2 If-15 Ig-37 Ig,-22 Ig.-26 IgJ-7 Igs-11 Ih+18
Ihb+24 Ii+17 Ij+28 Il-13 Im-26 Im.-17 In-42 In.-30 InI-23 InT-8 Ins-23 Ip-58 Ip&-23 Ip.-41 IpJ-34
Iq-8 Is-39 Is&-36 Is,+25 Is.-38 Iv+10 Iw-21 Iw.-24 Ix+29 Iy+42 Iy,+1 Iy.+31 Iyd+36 Iye+6 Iz+48 J&-7
J&,-20 J&.-11 J&I+14 J&J-36 J&d+34 J&y+6 J,-27 J,&-46 J,,+19 J,.+8 J,J-12 J,W+4 J,d-24 J,e+25
J,f+20 J,i+11 J,l-31 J,p+24 J,s+1 J,t+38 J,y+6 J.+6 J:-48 J?-47 JC+32 JE-52 JEd-41 JH+65 JH.+47
JHs+30 JI+11 JI,-26 JI.+13 JII-22 JJ+18 JJ,-1 JJ.+20 JJH+33 JJJ+11 JJT+29 JJb+12 JJc+41 JJs-19
JJy+19 JK-16 JN-16 JO+33 JO.+31 JP+18 JP&+36 JR+28 JRy+21 JT-3 JTd+29 JW+63 JW&+11 JW.+13 JWO+8
JWs+39 JWy+24 Ja+28 Jb-25 Jb.-35 Jc+50 Jc.+25 Jcs+43 Jcy+9 Jd+7 Jd.+45 Je-17 Je.-25 Jed+5 Jf-8
Jf.-18 JfC+34 JfI-25 Jfs-24 Jg-8 Jh+37 Jhb+27 Ji+4 Jj-26 Jjn-36 Jl-31 Jm-9 Jn-66 Jn.-43 JnI-35
Jnx-37 Jo-20 Jp-23 Jp,-24 Jp.-44 Jq-21 Js+64 Js,-14 Js.-11 JsC+16 JsW+52 Jss+6 Jt+52 Jt.+26 Ju+51
Jv+28 Jv&+39 Jw-38 Jw.-26 JwI-30 Jx-18 Jy+44 Jy&+19 Jy.+44 JyI-9 JyJ+7 JyW+20 Jyc+18 Jyt+17 Jz+5
Jz.+54 K&-11 K,-12 K.+15 K?-17 KI-5 KJ+21 KJ,+9 KO+15 KR+30 KT-20 KW+16 Kc+8 Kg+17 Kh+20 Kj+26
Kn-21 Ko-13 Kp+15 Kq-31 Ks+29 Ks,-22 Ks.+31 Ksj+16 Ksq-22 Ky+35 Ky.+7 L&-8 L,-5 L,&-5 L.-24 L?-22
LJ-6 Ld-14 Ld.-11 Lh-11 Lp-19 Ls-22 Ls.-17 Ly+31 N&-20 N,-29 N.-47 N?-30 NI-29 NJ+36 NO-43 NO.-43
Nc-16 Nd+23 Ne+23 Nm-9 Nn-26 Np-18 Nq-7 Ns+1 Nv-7 Nw-22 Ny-10 Ny,-13 Ny.-34 O&-39 O&f+13 O&s-33
O&y-14 O,-17 O,.-13 O,N-12 O,e-17 O.+14 O:-26 O?-9 OA-21 OC+15 OH-4 OI-7 OI.+18 OId+23 OIp-24 OJ-27
OJ,-28 OJ.+8 OJJ+16 OJd+23 OK-32 OK,-5 ON-17 OO+23 OR+15 OT+8 OV-27 OV.-45 OW-33 Oa+6 Ob-3 ObC-5
Obd+19 Obn-32 Oc+34 Od+38 Od,+20 Od.+67 Odh+29 Oe-7 Oe.-30 OeI+5 Oeb+28 Oed+3 Oej+7 Oes+23 Of-2
Og-18 Oh-6 Ohb+41 Ohj+30 Oi+17 Oj+18 Ojd+23 Ok-12 Ol-44 OlT-17 Om-2 On-69 Ond-20 Onn-23 Op+13
Op,+31 Op.+13 Os+23 Os,+21 Os.-26 Osc+13 Osy+50 Ov+17 Ow-12 Ox-5 Oy+35 Oy.+33 Oz-4 Oz.+45 OzI-31
Ozs+14 P&-21 P&J-7 P,-37 P,I-31 P,W-34 P.+1 P?-29 PH+13 PI-34 PJ-1 PK+36 PKs+26 PKy+24 PP-32 PV-3
PW-24 Pe+9 Pg+16 Pj+20 PjK+20 Pn-30 Po-12 Pp-5 Pq-18 Ps+39 Pt-2 Py+19 R&-16 R,-7 R,R+27 R,s+13
R.+30 R?-20 RH+26 RI+12 RJ+51 RJ.+34 RL+13 RR+26 RT+23 RW-9 RW.-3 RWy+32 Rb+21 Rc+56 Rc&-11 Rc.+35
RcJ+24 Rcy+7 Rd+55 Re+48 Red+32 Rf-13 Rh+4 Rj+22 Rm-24 Rn-16 Rp+20 Rp?-18 Rs+30 Rt-8 Rw+19 Ry+15
Ryc+40 Ryy+13 T&+20 T,+3 T.-35 T:-14 T?-33 TA-23 TC-14 TH+6 TI+21 TJ-39 TJJ-20 TK-6 TL-20 TN+21
TO-33 TOe-18 TP+3 TR+12 TT-33 TW+12 TWj+17 TWp-13 Ta-12 Tb-46 Tbp-15 Tc+28 Td-21 Td,+12 Td.+2 TdJ+5
Te+27 Tf+6 Th-35 ThC-6 Thb-27 Ti+6 Tj+12 Tk-9 Tm-11 Tn+20 To-17 To?-6 Tp-42 Ts-16 Tss+15 Tsy+9
Tt+41 Tts+28 Tu-5 Tud-5 Tv+8 Tw+30 Tx-13 Ty-19 Ty.-38 Ty?-11 Tyc+17 Tye-26 Tyh-14 Tyy-19 V&-16 V,+7
V.-11 V?-26 VI+22 VJ+7 VJ.+18 VO-12 VR-11 VT+9 VV+14 VW+12 Vb-8 Vd+24 Ve+41 Vf+3 Vk-25 Vs-54 Vs.-24
Vv-23 Vw+37 VwR-11 Vy+39 Vy.-5 VyJ+37 VyV+17 Vyy+23 W&-21 W&,-18 W&.-35 W&I-19 W&J+26 W&c+11 W&p-19
W&s-14 W&y+45 W,+2 W,&-29 W,.+18 W,J+22 W,R+23 W,c+6 W,s+37 W,v-27 W,y-18 W.+23 W:+15 W?-36 WA+23
WE-14 WH+24 WI+22 WI&-25 WI,-36 WI.+19 WJ+5 WJ&+23 WJ.-15 WJW-2 WJv+28 WJy+30 WK-30 WN-13 WO+56
WO.+33 WOJ+36 WP+36 WR+14 WR,+2 WT+25 WV-30 WW+67 WW.+20 WWJ+29 Wb+14 Wc+9 Wd-3 WdJ-27 We-9 We.-10
Wf+6 Wf.-16 Wfy+20 Wg-7 Wj+3 Wjt+14 Wjy+19 Wk-22 Wl+2 Wm-16 Wn-51 Wo-14 Wp+7 Wp.+41 Wq-27 Wqs-19
Ws+66 Ws,+23 Ws.+49 WsJ+24 WsO+35 Wss+40 Wsy+12 Wt+21 Wv-10 Ww-2 Wy+8 Wy&-21 Wy,-15 Wy.+16 WyJ-12
WyO+17 WyW+44 Wyp-12 Y,+9 Y.-5 YJ+36 YO+6 YV+5 Yk+9 YkV+12 Ys+21 Yw-16 ^+26 ^&-36 ^&&-18 ^&,-46
^&.-65 ^&?-13 ^&E-34 ^&I-48 ^&J-37 ^&p-29 ^&s+20 ^&x+27 ^&y-33 ^&z+12 ^,-1 ^,&-73 ^,,-60 ^,.-59
^,A+22 ^,I-67 ^,J+32 ^,R-20 ^,T+4 ^,V-37 ^,b-9 ^,d+68 ^,e-1 ^,h-11 ^,i+10 ^,m-46 ^,n+1 ^,p-10
^,s+17 ^,t+37 ^,v-25 ^,x+41 ^,y-20 ^,z+33 ^.-58 ^:-24 ^:&-14 ^:,-54 ^:s-20 ^?-116 ^A+7 ^A,+33
^A.-44 ^AR+42 ^As+57 ^Ay-46 ^C+42 ^CI-37 ^E-27 ^E&-28 ^E,-22 ^E.-69 ^EC-46 ^EI-34 ^EJ-37 ^Ed+4
^Ep-21 ^H+66 ^H,+27 ^I-46 ^I&-45 ^I,+14 ^I.-118 ^I:-32 ^IE-31 ^II-32 ^IJ-71 ^IO+28 ^IW-40 ^Id+65
^Ie+6 ^Ig-23 ^Im-23 ^In-31 ^Ip-37 ^Is-27 ^Iy-24 ^J+4 ^J&+21 ^J,-9 ^J.-118 ^J?-13 ^JE-30 ^JI-60
^JJ-28 ^JW+23 ^Jb-41 ^Jc+39 ^Jd+47 ^Je-13 ^Jf-34 ^Jh+27 ^Jj-28 ^Jn-41 ^Jp-16 ^Js+22 ^Jt+36 ^Jy+6
^K+10 ^L-19 ^N-48 ^N,-32 ^N.-31 ^O+14 ^O,-29 ^O.-44 ^OI-25 ^OJ-17 ^OV-28 ^OW-4 ^Ob+3 ^Oc+41 ^Od+14
^Oe+2 ^Oh+24 ^Oj+49 ^Ol-19 ^On-40 ^Op+22 ^Os+47 ^Ox+29 ^Oy+23 ^Oz-3 ^P-11 ^P&-32 ^P,-52 ^P?-31
^R+13 ^Re+36 ^Rs+25 ^T-39 ^T.-47 ^Th-16 ^Tt+28 ^V-11 ^V&-13 ^Vy-49 ^W+26 ^W&-36 ^W,+12 ^W.-67
^WI-32 ^WJ-60 ^WO+9 ^Wd-13 ^Ws+78 ^Wy-57 ^Y+4 ^Y.-45 ^Yk-15 ^a+50 ^aC+19 ^ad+90 ^ai+6 ^aj+11 ^ap+52
^az+27 ^b+21 ^b,-36 ^bd+55 ^bj+35 ^c+32 ^c.-46 ^cT-40 ^d+79 ^d&+46 ^d,+67 ^d.+102 ^d:+39 ^dI-63
^dJ-39 ^db+40 ^de-28 ^dn+25 ^dp-30 ^ds+12 ^dy+38 ^e-11 ^e&-41 ^e,-22 ^e.-82 ^e?-20 ^eI-36 ^eJ+11
^eO-6 ^eT-30 ^ed+41 ^ef-36 ^eg-27 ^el-18 ^ep+13 ^ey-28 ^ez-22 ^f-3 ^f&+13 ^f,-9 ^f.-42 ^fA+36
^fC+24 ^fH+22 ^fJ-58 ^fT-23 ^fW-26 ^fd-41 ^fi-41 ^fp-35 ^fr-21 ^ft+42 ^fw-44 ^fy-26 ^g-105 ^g,-17
^g.-37 ^gI-12 ^gJ-21 ^gs-38 ^h-21 ^h&-36 ^h,-32 ^h.-42 ^hI-33 ^hJ-36 ^hb+58 ^hd+31 ^he-22 ^hp-14
^hu-8 ^hy+20 ^i+19 ^iA+23 ^iI-41 ^ia-8 ^id+67 ^if+20 ^ig-19 ^ih+55 ^ij+25 ^im-36 ^in-56 ^ip+42
^it+43 ^ix+48 ^iy-17 ^iz+29 ^j+51 ^j,-23 ^j?-46 ^jd+50 ^jt+31 ^jx+15 ^jy+13 ^k-37 ^k&-33 ^ks-24
^ky+26 ^l-86 ^l&-15 ^l,-43 ^l.-38 ^l:-29 ^lO-34 ^lT-34 ^lb-33 ^ld-40 ^le-10 ^ll-50 ^m-69 ^m,-28
^m.-61 ^mI-21 ^mP-13 ^mc-34 ^md-33 ^mi-13 ^mk-24 ^mm-18 ^mn-12 ^mp-33 ^ms-25 ^mv-12 ^my-19 ^n-61
^n,+38 ^n.-58 ^nE-26 ^nI-43 ^nJ-23 ^nN-17 ^na-72 ^nd-4 ^ne-21 ^nf-37 ^nh-43 ^nl+26 ^nm+2 ^nn+6
^ns-31 ^nt-6 ^ny-25 ^o-62 ^o&-36 ^o,-17 ^o:-5 ^o?-42 ^oT-23 ^oc-19 ^od-17 ^oi-11 ^ok-27 ^oo-33
^op-10 ^os-18 ^ov-9 ^oy-23 ^p-18 ^p&+16 ^p,-10 ^p.-76 ^pE-26 ^pI-38 ^pJ-44 ^pT-12 ^pW-27 ^pd-19
^pe+8 ^pj-3 ^pm-27 ^pn-37 ^pp-16 ^ps-38 ^pw-15 ^py+52 ^q-94 ^q,-58 ^qI-20 ^qN-17 ^qO-23 ^qW-43
^qd-31 ^qi-24 ^ql-5 ^qn-31 ^qo-18 ^qp-13 ^qs-6 ^qv-9 ^qw-8 ^qy-30 ^r-81 ^r,-39 ^r.-39 ^r:-21 ^rT-39
^rs-28 ^ru-29 ^ry-13 ^s+21 ^s&-6 ^s,-26 ^s.-92 ^sE-52 ^sI-95 ^sJ+39 ^sP-34 ^sR-5 ^sV-37 ^sW+33
^sb-12 ^sc+19 ^sd+40 ^se+46 ^sf+72 ^sg-54 ^sh-18 ^sj+54 ^sm-9 ^sn-31 ^sp-27 ^ss-1 ^st-30 ^sw+34
^sy+95 ^sz+27 ^t+89 ^t,+54 ^t.+41 ^tH+25 ^tJ+24 ^tK+35 ^ti+12 ^tj+10 ^ts+77 ^ty+51 ^u-16 ^u,-27
^up-8 ^v-68 ^v&-55 ^v,-20 ^v.-39 ^v:-17 ^vI-15 ^vJ-36 ^vO-34 ^vl-18 ^vp-8 ^vq-12 ^vs-26 ^vy-15
^w-62 ^w,-54 ^w.-50 ^wI-7 ^wb-8 ^wd-58 ^we-27 ^wf-26 ^wh-19 ^wu-42 ^wv-28 ^wy-12 ^x+109 ^x&+31
^x,+65 ^x.+112 ^xI-21 ^xJ+35 ^xO+29 ^xd+12 ^xs+29 ^xy+63 ^y+9 ^y&-10 ^y,-45 ^y.-83 ^y?-28 ^yA+27
^yE+9 ^yI-72 ^yJ-29 ^yN-18 ^yO+38 ^yP+32 ^yT+6 ^yW-4 ^ya+39 ^yc+21 ^yd+22 ^ye-33 ^yf+33 ^yh-1
^yj-17 ^yl-52 ^ym+4 ^yn+8 ^yp-26 ^ys-58 ^yt+43 ^yu-24 ^yx+27 ^yy+16 ^yz+36 ^z+82 ^z,+73 ^z.+73
^z:+41 ^zJ+36 ^zO+31 ^zy+28 a&+38 a,-16 a.+56 a:-26 a?-24 aC+13 aH+10 aI+56 aJ-18 aK+25 aN-44 aO-34
aR+17 aT+15 aW+15 aa+21 ac+28 ad+48 ad&+37 ad,-27 ad.+72 adI+35 adJ+28 adO+41 adR+13 adT+26 adW+15
add+35 adj+22 adn-36 adp-14 ads+34 ady+45 adz+12 ae+26 af+39 ah-16 ai+6 aid+29 aiy-17 aj+37 ajd+13
am-7 an-45 and-31 ap+50 as-9 at-44 au+11 av+13 aw+10 ay-17 ayd-14 az+28 az&+9 b&-24 b,-16 b,&-12
b,.+6 b.+19 b:-1 b?-19 bC+38 bC.+12 bCO+28 bCs-19 bCy+20 bI+49 bJ-2 bL-45 bLd-11 bN-28 bO-2 bW-4
ba+13 bb-9 bc+37 bd+26 bd&+14 bd,+15 bd.+29 bd:-9 bdI+47 bdJ+30 bdL-16 bdO+15 bdj+36 bdm+6 bdn+26
bdp+5 bds-35 bdy+1 bdz+26 be-6 bh-5 bi-26 bj-5 bjd+19 bl-24 bm+8 bn+6 bnd-32 bp+3 bp.-24 bp?-10
bs-10 bu+20 bw+16 bx-22 by+30 bz+26 c&+39 c&t+20 c,+66 c,.+14 c,n+22 c,q+21 c.+37 c:-38 c:.-38
c?-36 cH+23 cI+35 cI.-13 cJ+42 cJ,+11 cJ.+67 cJH+16 cJJ+42 cJs+20 cJy+18 cK+31 cKJ+11 cKy+18 cN+6
cO-20 cR+47 cR.+10 cRJ+33 cT-6 cW-8 cb+7 cc+21 cd+20 cd.+6 ce+37 cf+25 cf.-7 cfy+29 cg-52 cg.-30
cj+14 cn-17 cnO-35 cp+21 cpJ+25 cpp+11 cq+28 cs-2 cs,+19 cs.-10 cs?-15 csJ-31 css+29 csy-11 ct+20
cw+55 cw.+31 cwe+25 cwy+45 cy+63 cy,+23 cy.+52 cyJ+45 cys+20 cyy+1 cz+23 d&+26 d&,-40 d&.+33 d&I-65
d&N+5 d&O+32 d&W+40 d&a+13 d&d+9 d&p+22 d&s+31 d&y-13 d&z+18 d,+27 d,&-15 d,.+26 d,J+66 d,N-45
d,O+8 d,W-2 d,a+6 d,d-19 d,e-7 d,f-3 d,i-2 d,j-18 d,n+35 d,p+26 d,s+27 d,u+27 d,y-27 d,z+30 d.+75
d:+51 d:,+35 d:a+8 d:e-13 d?-51 dA+19 dC+21 dE-13 dH-25 dHJ+11 dI+19 dI&-11 dI,+4 dI.-17 dIJ-10
dIy+9 dJ-1 dJ&+28 dJ,+40 dJ.-16 dJE-31 dJJ+30 dK-28 dK.-20 dL-25 dL.-15 dL?-22 dN-58 dO+45 dO&+19
dO.+44 dOI+35 dOJ+33 dOp+45 dP-14 dR+21 dR.-22 dT-25 dT.+16 dV-12 dW+14 dW,+17 dW.+2 da+17 db+34
dc-38 dd-18 dd.-30 de-41 de&-16 de,-27 de.-12 ded+18 df-22 dg-37 dg.-29 dgJ-32 dh-29 dhb+31 di-7
dj+28 dj,+13 dj.+41 dk-17 dl-9 dl.-27 dm+19 dm.+23 dn+50 dn,-14 dn.-3 dnI+29 dny+26 do-14 dp+24
dp&-19 dp,+12 dp.-20 dpJ-19 dpp-28 dps-13 ds-12 ds&+7 ds,+19 ds.+10 dsL-37 dss-9 dsy+18 dt+33 du+30
dv+12 dw+14 dwy+12 dx+12 dy+20 dy&-2 dy,-36 dy.+59 dyI+24 dyJ+32 dyO+19 dyj+8 dys+14 dyy+24 dz+21
dz&-19 dz,+14 dz.-6 e&-10 e&.-8 e&I-24 e&W-37 e,-6 e,&-24 e,,-36 e,.-46 e,I-45 e,s+51 e,y-41 e.-14
e:+14 e?-34 eA+18 eE+24 eH+40 eI-25 eI&+2 eI,-39 eI.-56 eII-28 eIp-24 eIs+32 eJ+17 eJ,+10 eJ.-45
eJI+35 eJd+46 eJw-22 eK-43 eK.-4 eL-12 eN-20 eN.-3 eO+25 eO,-6 eO.+25 eR+21 eT-34 eTy-30 eV+9 eW+6
eW&+8 eW.-2 eWI+25 eWJ+33 eWy+18 ea+39 eb+26 ebd+8 ec+12 ec&+28 ed+47 ed&-3 ed,+23 ed.+59 edI-31
edJ+21 edO-19 edg-32 edl-17 edp+3 eds-32 edy+36 edz+11 ee-32 ef+23 ef&+27 efH+18 efW+13 eg-49
eg&-11 eg.-22 egp-23 eh+2 ei+43 ej+23 ejI+9 ejW+18 ejd+21 ejz+32 ek+27 el-44 eld-27 em-30 en+4
en.-35 ep+6 ep&+23 ep,-29 ep.-12 eq+2 es+15 es,+32 es.-29 et+25 ety+17 ev-4 ew-41 ew.-43 ey+2
ey&-18 ey?-17 eyW-15 ez+4 ez.-17 f&+3 f,+3 f,&-15 f.+4 f:-26 f?-28 fA+41 fAs+41 fC+49 fCJ+22 fCs+26
fH+21 fH.-4 fHJ+24 fHf-12 fHs+25 fHw+32 fHy+24 fI+7 fI.-2 fId-49 fJ+22 fJ.-24 fJJ+16 fJs+33 fK+18
fO+12 fR+32 fT+12 fT.-25 fV+75 fVy+54 fW+10 fW&+30 fW.+30 fWO+14 fWW+9 fWy-12 fY+27 fb-7 fc+37
fc,+9 fc.+25 fcJ+43 fcf+24 fd-60 fd,-20 fd.-39 fds+56 fe+20 ff+21 ffy+11 fh-8 fi-40 fj+33 fk+24
fks+43 fky+17 fl+24 fm-18 fn-57 fp-33 fp&+6 fp.-29 fq-34 fr-21 fs+32 fs.-36 fss+3 ft-5 ft.+41 fts+9
fv-13 fw+15 fy+15 fy,-6 fy.-48 fyJ+32 fyc+33 fz-22 g&-22 g&J-6 g&g-8 g,-6 g,&-5 g,.-16 g.-91 g?-17
gI+4 gJ-73 gJ.-39 gJJ-33 gJs-32 gR-20 gV-28 gW-59 gW.-22 ga+3 gc-34 gd-10 ge-10 gf-12 gg-26 gg.-24
gj+26 gp-28 gp.-23 gs-63 gs.-24 gsW-26 gv-6 gw-25 gw.-16 gy-19 h&-24 h&.-31 h&z+6 h,-9 h,&+1 h,c-21
h.-19 h:-5 h?-30 hA+17 hC+19 hCL-7 hHs+19 hI-14 hI&-22 hI.-32 hII-31 hJ-12 hJ.-47 hK-23 hL-17 hN-27
hO+9 hR+45 hT-10 hW-19 ha+13 hb+25 hb.-12 hbC+44 hbd+35 hbp-21 hbz+10 hc-4 hd+26 hd,-18 hd.-8
hdO+26 hds+36 hdy+13 he-5 heI-22 hf+14 hg+21 hh+9 hi-3 hj-6 hjb+14 hl-13 hm+30 hn-2 hn.-19 hnd-27
hp+1 hp&-12 hp.-30 hpJ-31 hpO+5 hps+14 hs-21 hu+10 hv-23 hw+5 hy+29 hy,+10 hz+16 i&+15 i,+6 i.+24
i:-27 i?-27 iA+15 iH+26 iI+12 iJ+33 iK+6 iL+13 iN-40 iNO-8 iO-12 iP+30 iR+22 iT+12 iV+25 iW+10 ia-6
iaI+12 iaO-23 iad-16 iaj+5 ias+10 id+37 id&+23 id,+29 id.+45 idO+33 idy+34 ie+21 if+6 ifH+20 ig-21
ih+26 ih,+2 ihd+55 ii+1 ij-7 ijd+18 ijx+9 ik+6 iks+12 im-44 imd-19 imk-17 imn-13 imy-7 in-75 in,+3
in.-23 inV-16 ind-34 inh+8 ink-21 inm-9 inn-9 inp-15 io-12 ip+45 ipy+42 iq-18 is-22 it-4 its+28
ity+34 iv-8 iw+40 ix+33 ix.+34 ixO+18 ixs+4 ixy+21 iy+41 iyd+12 iyn-30 iz-16 iz&+29 j&-2 j&c+28
j&f+19 j,&+33 j,a+2 j,i+8 j,s-32 j.+62 j:-31 j?-55 jC+42 jE-12 jH+19 jI+13 jI,+10 jJ-27 jJ,+26
jJ.+15 jK+20 jKs+20 jO+25 jO.+37 jR+15 jV-16 jW+13 jW.+52 jWO+14 jWs+19 jWy+23 ja+13 jb+27 jbd+23
jc-4 jd+47 jd&+10 jd,+32 jd.+40 jdO+11 je-7 jed+24 jf-10 jh+13 jhb+10 ji+25 jj+13 jj.+13 jl+13 jm-1
jn-33 jnm-16 jp+24 js+14 js&+23 js,+22 js.+32 jss+5 jt+38 jt.+29 jw+28 jx+26 jx.+9 jy+9 jy.+35
jyW+20 jyc+21 jz+29 jz.+36 jzO+23 k&-51 k&.-27 k,+5 k,&-5 k,y-5 k.-20 k?-19 kH+7 kHd+11 kI+2 kJ-10
kO-27 kR+7 kV+19 kV.+13 kW-17 kc-26 kd+31 ke-7 kf-13 km-27 ko-22 kp-3 ks+13 ks,-23 ks.-30 kss+12
ksy+18 kw-10 ky+2 ky,+21 ky.-17 kyV-10 l&-6 l&d-26 l,-45 l,.-34 l,L-11 l,T-11 l,b-13 l,h-28 l,p-13
l,y-10 l.-87 l:-29 lA-10 lC-23 lI-44 lJ-39 lL-27 lLs-18 lO-54 lO,-24 lOb-27 lP+8 lT-52 lTO-30
lTd-24 lTe-17 lTh-25 lTy-24 lW-18 lb-60 lbL-11 lbd-14 ld-67 ld,-38 ld.-44 le-26 lf-8 lh-38 li+5
lj+43 ll-51 ll,-32 ll.-19 llL-21 llO-18 llT-36 llb-11 lm-28 ln-14 lp-27 ls-12 ly-27 m&+4 m,-55
m,T-22 m.-66 m:+28 m?-19 mH+35 mI-57 mI.-41 mIJ-15 mJ+17 mJ.-22 mK-38 mN-8 mO-18 mP-20 mPK-13 mR-12
mT-37 mV-30 mW-36 mW&-7 mW.-11 mWy-27 ma+27 mc+21 mc,-8 mc.+3 mcs-26 md-39 md.-57 mdI-28 mds-4
me+23 mf-18 mh-6 mi+1 min-13 miy-14 mj-33 mj.-20 mk-34 mks-35 ml-17 mm-16 mmk-12 mn-16 mn.-18 mo-24
mp+21 mp.+5 mpn+12 mq-33 ms-31 ms.-24 mt-28 mts-26 mv-13 mv.-11 mx-14 my-47 my,-15 my.-15 myP-16
myW-18 myp-20 n&-10 n&y-12 n,+6 n,&+12 n,.+10 n,A+4 n,N-16 n,j+25 n,p+18 n,s+52 n,y+4 n.-63 n:+12
n?-30 nA-17 nE-34 nH-23 nI+18 nI.+31 nII-12 nIJ-12 nIn-27 nJ-56 nJ.-28 nK-2 nN-34 nN.-17 nO-56
nO,-9 nO.-35 nP+11 nR+1 nT-22 nT.-8 nV-9 nW+20 nW,-20 na-53 na.-7 nad-53 nb-62 nbd-43 nc-32 nd-103
nd&-14 nd,-29 nd.-40 ndz-35 ne-37 ne,-11 neb-34 ned-34 nf-23 nfH-23 ng-8 nh-51 nhb-48 nhd-34 nhy+10
ni-4 nj-16 nk-40 nky-12 nl+25 nm-21 nm,-29 nm.-27 nmn-28 nmp+32 nmy-24 nn-42 nn,+34 nnb-25 nnd-29
nnh-18 nnm-20 nnx-8 np+14 np,+10 npn-27 nq-17 ns-1 ns.-34 nsI-24 nsn-29 nsy-28 nt-38 nt,+27 nv-12
nvy-8 nw+10 nx-58 nx,-17 nx.-48 ny-40 ny,+13 ny.+26 nyJ-14 nya-33 nym-15 nyn-15 nz-16 o&-44 o&?-18
o&J-10 o,-29 o,&-12 o,T-8 o,m-7 o.-50 o:-5 o:v-5 o?-49 oA-8 oH-26 oI-15 oI?-13 oJ-36 oJ?-18 oK-17
oT-24 oT?-19 oTs-23 oTy-11 oW-13 oc-31 ocs-19 od-18 oe-19 of-24 oh-23 oi-15 ok-23 oks-22 om-7 oo-40
op-10 op?-10 oq-7 os-49 os?-19 ot-27 ov-9 ox-34 oy-39 oy,-12 oy?-15 oyc-28 p&+11 p&,-23 p&.-60
p&?-21 p&d+38 p&e-33 p&p-30 p&y+20 p,+3 p,&+14 p,,-27 p,.+17 p,I-4 p,J-33 p,R-12 p,m-13 p,p+25
p,s-18 p,z-5 p.-13 p:+21 p:.-21 p?-36 pA-33 pC+20 pE-40 pEd-26 pH-15 pI-30 pI,-14 pI.-7 pIJ-14
pIp-13 pJ-20 pJ,-3 pJ.-14 pJe-3 pK-28 pK.-19 pL-21 pN-22 pO+28 pR-12 pT-19 pTs-12 pV-1 pW-27 pW.-21
pa+23 pb-16 pc+42 pd+12 pe+7 pe.-40 peI-14 peJ-21 ped+37 pf+34 pg-27 pg.-22 ph-26 phb+6 pi+26 pj+7
pl-30 pll-17 pm-27 pn+16 pn,-27 pn.+8 pp-26 pp.-35 ppJ-18 pq-21 ps+14 ps,+14 ps.+7 psL-8 pss+5
pt+57 pu+24 pv-21 pw-27 py+44 py,+26 py.+37 pyJ-44 pya-16 pyt+34 pz+14 q&-33 q,-84 q,.-22 q,f-15
q,n-13 q,s-29 q,v-9 q.-82 q?-37 qA-36 qH-29 qI-46 qI,-24 qJ-34 qK-45 qN-12 qN,-12 qNy-13 qO-36
qP-22 qR-11 qR.+12 qT-21 qV-29 qW-67 qWI-36 qY-25 qb-22 qc-49 qd-52 qd,-22 qd.-30 qe-35 qf-57 qg-8
qh-38 qhp-23 qi-31 qj-15 qk-21 ql-5 ql,-5 qm-23 qn-33 qn,-25 qn.-7 qnW-20 qne-8 qnp-27 qny-18 qo-23
qo,-18 qo.-18 qp-34 qs-78 qt-56 qu-12 qv-15 qv,-7 qw-15 qx-32 qy-72 qy,-19 qyI-21 qyW-27 qyn-23
qyo-14 r&-23 r,-42 r,T-20 r,a-28 r.-70 r:-23 r:.-19 r?-22 rC-41 rH-36 rJ-19 rL-34 rR-11 rT-48
rTL-14 rTs-25 rV-17 ra-46 rb-27 rd-49 rh-21 ri-14 rm-6 rn-6 rp-44 rr-6 rs-56 rsC-19 ru-32 rx-13
ry-62 s&+2 s&.-45 s&I+15 s&c-13 s&f+43 s&j+5 s&s-24 s&y+43 s,+42 s,&-6 s,,+11 s,.-28 s,I+3 s,J+22
s,R+21 s,T+9 s,W+31 s,c+22 s,e+12 s,f+20 s,g-15 s,j+31 s,m-29 s,n+11 s,p+13 s,q-27 s,s-16 s,t+26
s,y+38 s.+19 s:-20 s:y+6 s?-60 sA+9 sC+9 sC.+36 sCy-20 sE+7 sE.-23 sEI-20 sEd-39 sEg-17 sH+20 sH.-6
sH?-16 sI+19 sI&-10 sI,-25 sI.-34 sII-32 sIJ+28 sIW+19 sIg-8 sIp-33 sJ+64 sJ&-3 sJ.-30 sJJ+69
sJW+28 sJc+50 sJy+30 sK+15 sK.+42 sL-41 sL.-40 sN-26 sO+37 sO.+13 sP-5 sR-14 sRc+18 sRy+9 sT+16
sV+10 sVy+27 sW+57 sW&+3 sW,+43 sW.+8 sWJ+26 sWO+50 sWW+42 sWf+20 sWg-30 sWj+14 sWp+3 sWy+59 sY+22
sa-1 sai+20 sb-22 sb,+33 sb.-38 sc+56 sc,+31 sc.+17 sc?-18 scJ+36 scK+10 scg-44 scw+24 scy+39 sd-14
sd.+39 sdy+8 se+7 se,-46 se.-30 seI+6 seJ+60 seW+49 sef+49 seg-17 sej+26 sep-20 sey-26 sf+33 sfH+3
sfJ-5 sfV+28 sfW+49 sfc+28 sfk+17 sfy+18 sg-71 sg&-24 sg.-36 sgJ-32 sgV-16 sgg-22 sh+8 shb+33
shd+22 shp-10 si+23 sj+30 sj&+26 sj.+19 sjW+53 sk-5 sl+25 sm-5 sm.-36 smI-28 smN-5 smW-8 smc+32
sn-40 so-34 sp&+2 sp,-11 sp.+30 sq-6 ss+18 ss&-18 ss,+21 ss.+16 ssI-56 ssJ+14 ssO+23 ssW+66 ssc+43
sse-18 ssf+32 ssj+12 ssm-12 ssy+33 st+13 st.-14 sty+9 sv-7 sw+44 sw.-27 sx+7 sy+62 sy&-13 sy,+54
sy.+48 syH+14 syI-3 syJ+45 syP+12 syW+27 syc-37 syp-2 syy+33 sz-27 sz.-12 szy+27 t&+52 t&y+32 t,+69
t,A+7 t,J+4 t,j+16 t,s+31 t,t+19 t.+92 t?-31 tA+1 tH+34 tHJ+7 tHw+25 tI+34 tJ+43 tJ.+50 tJy+24
tK+38 tKs+17 tO+33 tR+42 tT+9 tW+30 tb+12 tc+26 td+29 td.+27 te+25 tf+18 ti+12 tik+12 tj+31 tj.+19
tjs+10 tk+12 tl+29 tm+29 to-13 tp+32 tq+9 ts+43 ts&+38 ts,+24 ts.+27 tsJ-35 tsK+24 tsj+19 tsm+21
tss+51 tst+8 tt+32 tv+14 tw+25 ty+28 ty,+18 ty.+13 tyj+9 tys+46 tyy+25 u&-12 u,-51 u,&-12 u.-2
u?-18 uJ-42 ub-12 ud-2 ud,-25 ud.+14 uf-30 up-12 up,-34 up.+29 us+14 uy-29 uz-14 v&-41 v&.+9 v&d-23
v&p-8 v&v-16 v&y-21 v,-54 v,&-24 v,.-15 v,s-19 v,v-18 v,y+6 v.-59 v:-17 v:,-17 v?-15 vA-16 vC+29
vI-18 vIJ-15 vJ-2 vJ.-27 vK+30 vO-37 vO&-33 vO.+25 vOs-19 vT-22 vW+19 vb-11 vc-39 vd-16 vf-35 vj-9
vk-7 vl-18 vn-11 vp-18 vq-29 vq.-27 vs-71 vs,-15 vs.-32 vv-37 vw-20 vy-30 vy&-15 vy.-27 vyJ+30
vyn-8 w&+25 w,-50 w,s-51 w,y-26 w.-40 w?-21 wC-27 wE-24 wH-30 wI+5 wI.+15 wJ-20 wJ.-29 wK-15 wO-42
wR+15 wR.+20 wRW-3 wT+4 wV-26 wW-47 wW,-19 wW.+1 wb-2 wbp-10 wc-13 wd-53 wd,-39 we-12 we.+34 wez+23
wf-38 wf.-1 wfy-22 wg-4 wh-46 whp-19 wi-18 wm+28 wn+17 wp-44 ws-92 ws.-24 wsf+7 wsz-44 wu-42 wup-34
wv-41 wv,-26 wv.-35 ww-28 wy-60 wy,+35 wz-41 x&+55 x&.+28 x,+58 x,&+28 x,.+37 x,?-22 x,J+18 x,T+26
x,z+18 x.+113 x?-39 xI+4 xII-21 xJ+23 xJ.-1 xN+10 xO+40 xO.+36 xOJ+11 xR+5 xT+34 xW+9 xb+23 xc+8
xd+12 xf+15 xj+16 xn+34 xn.+27 xp+22 xs+35 xs&+9 xs,+23 xy+54 xy.+24 xyI+22 xyJ+25 xys+15 xz+20
y&-15 y&,+1 y&.-14 y&H+13 y&a+24 y&c+17 y&f+15 y&v-14 y&y-25 y,-2 y,&+23 y,,-26 y,.+7 y,I+10 y,J+18
y,R-3 y,T-15 y,W+19 y,b-23 y,e+29 y,f+13 y,i+5 y,o-12 y,s-32 y,w-36 y,y+19 y,z+17 y.+24 y:-4 y?-66
yA+38 yA,+14 yA.+22 yAc+21 yC+42 yE-26 yEd-28 yEf+19 yH+55 yH.-15 yHJ+16 yI+11 yI&+2 yI,-22 yI.-10
yII-11 yIJ-47 yIe-18 yIn-29 yIs-4 yJ+23 yJ&-20 yJ,+5 yJ.-7 yJ?-24 yJJ+35 yJP+32 yJW+17 yJy+7 yK+45
yL-31 yN.-2 yO-27 yO.+20 yOd+16 yOe+20 yP+26 yPK+25 yPj+20 yPt-2 yR+2 yT-1 yTy-14 yV-29 yV.-15
yW+33 yW,-9 yW.+48 yWH+5 yWI+30 yWJ-8 yWW-24 yWp+41 yWq-29 yWs+17 yWy+13 ya-1 yad+1 yb.+20 yc+9
yc&-14 yc,+28 yc.-43 yc?-18 ycH+20 ycI+23 ycJ+62 ycR+24 ycd-17 yce+20 ycj+14 ycn-35 ycp+16 ycs+16
ycw+53 ycy+31 yd+21 yd.+30 ydh+6 ye-6 ye.-36 ye?-21 yeI-43 yeJ-28 yeb+23 yed-34 yes+45 yey-42 yf+23
yf.-10 yf?-13 yfC+5 yfH+7 yfJ+41 yfy+27 yg+16 yg.-19 yh-5 yhb-9 yi-8 yj+48 yj.+33 yj?-22 yjs+30
yk-22 ykH+11 yl+4 yl.+39 yld-30 ym-13 ym.+15 ymI-20 ymJ-22 ymW-10 ymc-18 ymk-13 yn-3 yn,+23 yn.-5
ynm-15 yns-39 yo-22 yo.-11 yp-17 yp&+3 yp,+10 yp.-27 ypC-25 ypJ+11 yq-45 ys+16 ys,-14 ys.-11 ysW-22
yse-16 ysj+12 yss-10 ysy-23 yt+13 yt.+1 ytH+7 ytJ+37 yts-2 yu-24 yv-4 yw+13 yx+13 yx.-14 yy+13
yy&-6 yy,+25 yy.-29 yy?-9 yyc-15 yyk+11 yz+9 yz.+34 z&+26 z&d+21 z,+72 z,.+35 z,I+29 z,a+10 z,e+24
z,i+14 z,m+23 z,n+28 z,s+17 z,x+12 z,y+5 z,z+32 z.+84 z:+43 z:,+13 z?-36 zH+5 zI+14 zI.-31 zJ+29
zJ,+22 zJ.+6 zO+47 zO.+34 zOI+32 zR+23 zW+11 za+7 zb+24 zc+18 zd+32 ze-11 zf+26 zi+15 zj+18 zj,+2
zj.+18 zm+23 zn+45 zp+47 zs+22 zs&+17 zs,+5 zw+18 zx+17 zy+54 zy,+5 zy.+52 zz+33
"""
