"""What the signs of a claim weigh, in hundredths; written by `make promise-weights`."""

LEARNED_FROM = "bf2911ddfa3fa85d"

WEIGHTS = """
&&-34 &,-7 &,&-34 &,.-13 &,I-37 &,J-22 &,M-5 &,Q-8 &,f-2 &,i-19 &,q-1 &.-42 &:+16 &?-55 &A+15
&Ay+11 &C+3 &D-13 &D.-39 &De+21 &Dz+4 &E+12 &G+30 &Gy+16 &H+22 &H.-13 &HV+22 &I-5 &I,-13 &I.-9
&I?-4 &II-35 &IJ-39 &IW+18 &Ie-13 &Ip-29 &J+3 &J&-30 &J,-30 &J.-49 &J?-15 &JI+16 &JJ+18 &Jc+43
&Je-9 &Jf+35 &Jy+28 &K-9 &L-30 &M+7 &M.+3 &MI-12 &N-22 &N&+18 &N.-23 &Ny-11 &O+36 &O.+11 &P+18
&P.+21 &Q+4 &Q?-15 &R-13 &R.-10 &T+9 &V+4 &V.-5 &Vy-19 &W+56 &W.+19 &WJ+5 &Ws+20 &Wy+55 &Y+11 &a+33
&ad+26 &b-29 &c+7 &c.+40 &cJ+37 &cy+50 &d+7 &d.+25 &dJ-23 &dO+13 &dg-2 &ds+32 &dy+15 &dz+31 &e-2
&e.-27 &eI-15 &es+33 &f+4 &fA+39 &fH+9 &fI-9 &fV+42 &fW+14 &fc+27 &ft-14 &fy+33 &g-19 &g.-23 &g?-8
&gI-5 &h-9 &h.-7 &hb+34 &i+12 &i.-21 &id+21 &in-14 &j+22 &jW+5 &k+22 &l+11 &l.+7 &n-27 &n&-4 &n,-6
&n.-25 &o-8 &p-33 &p.-23 &pe-20 &pp-8 &q+23 &s-60 &s,-4 &s.-9 &sI-7 &sW+33 &sc-48 &se+11 &sf-30
&sp-30 &sy-57 &t+48 &t.+26 &tJ+29 &v-31 &v.-27 &vy-33 &w+11 &x+25 &x.+48 &xJ-19 &y+3 &y&-4 &y.-25
&y?-12 &yH+42 &yI+9 &yJ+12 &yP+30 &yW+59 &ya+4 &yd+39 &ye-20 &yf-4 &yl+26 &yn-15 &yp-7 &ys-53
&yt+28 &yy-30 &z+45 &z,+13 &z.+20 ,&-32 ,&,-19 ,&.-49 ,&?-21 ,&D+16 ,&E+23 ,&G-11 ,&I+12 ,&J+16
,&N-28 ,&Q-13 ,&W+5 ,&Y+8 ,&c+36 ,&d-28 ,&e-4 ,&f+37 ,&i-27 ,&j-28 ,&n-28 ,&o-7 ,&p-33 ,&s-39 ,&t+9
,&v-33 ,&w+8 ,&y-22 ,,-23 ,,&-29 ,,,-26 ,,.+20 ,,I-35 ,,J-28 ,,d+34 ,,l-24 ,,s+18 ,,u-30 ,.+2 ,:+28
,?-50 ,A-1 ,Ai-16 ,As+31 ,B+9 ,B,-35 ,B.+26 ,Bn+25 ,C-10 ,D+13 ,D.+25 ,De+19 ,Dj+10 ,E+26 ,G+13
,GI+12 ,Gy+37 ,H+47 ,H.+37 ,I-2 ,I&-10 ,I,+19 ,I.+8 ,II-43 ,IJ-31 ,IN-16 ,Ia-24 ,Ie-37 ,Ig-5 ,In-4
,Is-1 ,Iy-20 ,J+7 ,J&-27 ,J,-27 ,J.+12 ,JI+1 ,JJ-2 ,JR+34 ,JW+35 ,Jc+51 ,Je+15 ,Jn-23 ,Jp-25 ,K+39
,L-30 ,M-21 ,M.+28 ,MI-14 ,MJ-31 ,Md-22 ,N-22 ,N.-24 ,NI-15 ,NO-25 ,O-13 ,O.+32 ,Oe-6 ,Os-5 ,P-16
,Q-1 ,QI-23 ,QJ-11 ,Qe-8 ,Ql-20 ,Qu+24 ,R+30 ,R&-25 ,R,-25 ,R.-20 ,RW+50 ,Rc+27 ,Re+4 ,Rf+25 ,Rn-20
,Ry+44 ,T-24 ,T.+2 ,TI-9 ,TJ-33 ,TL-11 ,TO-12 ,TP+16 ,TV-13 ,TW+15 ,Ti-17 ,To-6 ,Tp-18 ,Ts-31 ,Tx-7
,Ty-12 ,V-42 ,V.-26 ,Vs-21 ,W+23 ,W&+7 ,W.-4 ,WI-1 ,WJ+27 ,Ws+3 ,Wy+6 ,Y+33 ,a+6 ,ad+43 ,ai+11
,b-42 ,b.-31 ,bC-11 ,bd+16 ,c+41 ,c.+40 ,cJ+26 ,cs-41 ,cy+30 ,d-6 ,d.-2 ,de+43 ,e.+13 ,eI-34 ,eO+39
,eW-46 ,ed-6 ,ee+30 ,ep+16 ,es+7 ,f+6 ,f.-56 ,fC+13 ,fH-6 ,fJ+37 ,fV+28 ,fk+8 ,fs+25 ,ft+8 ,fy-23
,g-2 ,g,-11 ,h-25 ,hI-7 ,hb-29 ,hd+10 ,i+6 ,i.-34 ,iN-24 ,ia+29 ,id+25 ,ij+2 ,in+15 ,it+8 ,ix+16
,j+17 ,j.+30 ,jW-13 ,jn+26 ,jx+14 ,jy+30 ,k+20 ,l-61 ,l.-42 ,lT-7 ,n+24 ,n&-7 ,n,+48 ,n.+31 ,ns-44
,o-24 ,o?-11 ,p+11 ,p&-18 ,p,-28 ,p.+31 ,pI+22 ,ph-14 ,ps-1 ,q-12 ,q.+42 ,qI-1 ,qo-9 ,s-1 ,s,+38
,s.+8 ,s:+7 ,sA+30 ,sH+15 ,sI+24 ,sJ-4 ,sM-23 ,sW+15 ,sa-26 ,sb-30 ,sc+31 ,sd+40 ,se+18 ,sf+13
,sn-10 ,sp+25 ,ss+24 ,st+32 ,sy-5 ,t+46 ,t.-3 ,td+23 ,ts+32 ,u+7 ,u.-30 ,v-41 ,v&-8 ,v,-24 ,v.-48
,vO-14 ,vs-17 ,vy-5 ,w-12 ,w.-3 ,wW+24 ,wf+30 ,ws-49 ,x-10 ,x.+36 ,xy+30 ,y+2 ,y,-15 ,y.-47 ,yD+8
,yG+22 ,yI-49 ,yJ-21 ,yR+11 ,yW-14 ,ya+4 ,yc+21 ,ye-21 ,yf-9 ,yn-4 ,yp-16 ,ys-6 ,yt+21 ,yx-16
,yy+20 ,z+8 ,z.+50 ,zJ-10 ,zy+18 .-43 :&-45 :&.-35 :&I-26 :,-12 :,,-8 :,.-31 :,I-35 :,J+18 :,n+46
:.-6 :?-24 :I+25 :I&-25 :I,+16 :J-19 :J,+15 :M+13 :N-15 :O+5 :Q-15 :R-5 :T-11 :W+17 :a+33 :ad+32
:b-26 :c+21 :d-34 :d,-9 :e-14 :h-27 :i+7 :j+17 :k-20 :n+54 :p-4 :p,+16 :s+12 :v-15 :v,-6 :y-13
:y,-15 :yW+19 :yc+20 :z+34 ?-120 A&+2 A&y+23 A,+32 A,&+5 A,R+31 A,y+14 A.+15 A?-33 AB-20 AG+30
AH+19 AI+27 AJ+54 AJs+33 AP+19 AR+30 ARc+36 AT+16 AV+43 AW+16 Ac+56 Ae+23 Af-10 Af.-16 Afp-24 Ai-16
Aj+31 Al+29 An-24 Ap-30 Ap,-26 As+3 As&+27 As,+24 As.+29 AsG+24 AsW+19 Ass+35 Asy+47 At-18 Aw+45
Ay-1 Ay.+11 AyB-30 Az+13 B&-32 B,-3 B,,-12 B,?-10 B,i+10 B,n+14 B.-26 B?-10 BI-10 BJ-32 BT-14 BW-7
Bc+2 Bd-14 Bi+10 Bk-5 Bks-13 Bn+32 Bn.-3 Bs-25 Bs.-40 Bt+21 Bv-29 BvJ-15 Bw-25 By+34 C&-24 C,+34
C.+34 C?-37 CD+22 CG-21 CI+22 CII-33 CJ-3 CJ.+29 CK+3 CK.-6 CL-19 CO+40 CO.+45 CR+2 CW+38 Cc+6
Cd-31 Cf+10 Ch-18 Cj+8 Cp-9 Cs+33 Cs&-8 Cs,+13 Cs.+28 CsI+25 CsL-11 Css+33 Csw-42 Cv-35 Cw-21 Cy-24
Cy&-25 Cy.+16 CyL-12 Cz+17 D&-20 D,+16 D,d+24 D,z+17 D.+35 D:-22 DI-23 DJ+3 DO+24 DW+17 Da+5 Db+10
Dd+57 Dd.+20 De+47 DeW+14 Ded+37 Di+10 Dj+10 Dj,+9 Dp+1 Ds-48 Dw-5 Dx+13 Dy+35 Dz+18 Dz.+8 E&+5
E,+19 E,&-13 E,I-20 E.-39 E:-6 E?-11 EC-15 EE-10 EG+18 EG.-43 EI-30 EI.-36 EJ-28 EK-35 EM-19 ER+10
EW+42 Ea+9 Ec+12 Ed-16 Ed,+44 Ed.-66 EdI-36 EdJ-60 Edp-21 Ef+23 EfC+21 Eg-24 Egg-10 Eh-20 Ei+24
Ej+34 El+20 En-21 En.-21 Ep-34 Ep&-16 Ep.-21 EpJ-27 Es+39 Ew-40 Ey+57 Ez+32 G&-34 G&y-31 G,-27
G,&-23 G,.-32 G,I+16 G,e-30 G.+21 G?-20 GB+20 GG+40 GG.+6 GI+12 GI.-4 GIy-8 GJ-9 GJ.+46 GJJ+15
GK+14 GM+15 GO+41 GP+10 GR+23 GW-18 GWs+16 Gc-22 Gd+33 Gd.+50 Ge-42 Ged-14 Gf+9 Gi-32 Gj+28 Gn-5
Gp+6 Gp.+6 Gs+2 Gs,+22 Gs.+35 GsK+14 Gv-11 Gy-6 Gy,+10 Gy.+21 GyG+41 GyI+15 GyJ-23 Gye+3 H&+21
H&W+42 H,+28 H,J+34 H,s+7 H.+76 H:+9 H?-27 HD+15 HDJ+34 HG+11 HH+27 HI+17 HJ+70 HJ.+29 HJJ+21 HK+6
HO+33 HR+22 HV+22 HW+59 Ha+33 Hb+13 Hc+16 Hd+12 He+21 Hf+15 Hh+8 Hi+37 Hj+5 Hp+27 Hs+44 Hs.+18
Hs?-9 HsJ+25 Hss+23 Hw+54 Hw.+38 HwJ+22 HwR+22 Hws+25 Hy+22 HyJ+24 Hyw+15 I&-57 I&.-45 I&I-35
I&J-45 I&W-18 I&a+21 I&e-23 I&p-9 I&s-33 I&v-12 I&y-14 I,+17 I,&-20 I,,+5 I,.-40 I,I-70 I,J-44
I,M-35 I,Q-16 I,R-15 I,W-42 I,a+26 I,c+2 I,e+48 I,f-33 I,h-17 I,i-22 I,l-21 I,n-26 I,p-36 I,s-29
I,x+14 I,y+2 I,z+31 I.-44 I:-43 I:&-24 I:,-18 I?-34 IC-38 ID+13 IE-35 IE.-32 IEI-24 IEp-4 IG-27
IH+24 II-65 II&-24 II,-53 II.-72 II:-6 II?-19 III-57 IIJ-62 IIM-24 IIb-10 IIe-22 IIp-12 IIs-23
IIy+35 IJ-38 IJ&-19 IJ,+29 IJ.-33 IJ?-9 IJI-30 IJJ-8 IJe-43 IJq-6 IK+7 IK.-23 IL-21 IM-60 IM.-28
IN.-16 INs+23 IO+56 IO.-43 IP-10 IQ+20 IR-14 IT+26 IV-8 IW-19 IW&-18 IW.+8 IWI-29 IWs-2 IWy+29 Ia+1
Iai+3 Iay-24 Ib-16 Ib,+4 Ib.-29 Ic+51 Id+65 Id,+45 Id.+9 IdO+53 Idp+15 Ie+20 Ie&-13 Ie,-39 Ie.-63
IeI-37 Ied+22 Ien-27 If-4 Ig-38 Ig&-15 Ig,-25 Ig.-23 IgI-20 IgJ-11 Igs-13 Ih+3 Ihb+20 Ii-10 Ij+40
Ik-27 Il-11 In+9 In&-11 In.-44 Ip-18 Ip&-12 Ip.-33 IpI-29 IpJ-33 Ipn-26 Iq-34 Iqn-12 Is-23 Is&-37
Is,-21 Is.-22 IsI-27 It+32 Iv+14 Iw-28 Iw.-34 Ix+41 Ix.+35 Iy+31 Iy,+26 Iy.+12 IyJ-41 Iyc+1 Iyd+35
Iyf-14 Iz+47 Iz,+10 J&-13 J&,-17 J&.-23 J&G+29 J&I+23 J&J-34 J&W-10 J&a+7 J&c-6 J&d+25 J&x+18
J&y-17 J,-23 J,&-34 J,,+14 J,.-3 J,I+24 J,J-14 J,Q-2 J,W+34 J,a+8 J,d-22 J,e+19 J,f+37 J,i+31
J,l-14 J,n+18 J,p+41 J,s+48 J,t+22 J,w-30 J,y-2 J.+10 J:-46 J?-49 JB+10 JB,+10 JC+45 JD+33 JE-49
JEd-39 JG+5 JG.+24 JGW+17 JGy+18 JH+66 JH.+53 JHs+26 JI+4 JI&-21 JI,-19 JI.-2 JII-40 JId-36 JJ+26
JJ&-7 JJ,+7 JJ.+15 JJH+27 JJI-19 JJJ+34 JJT+35 JJW+4 JJb+7 JJc+50 JJs+7 JJy+15 JK+4 JM+41 JM.+6
JN-18 JO+44 JO.+41 JP+31 JP&+36 JQ+10 JR+24 JR.+6 JRy+24 JT+1 JTd+33 JV+5 JW+33 JW&+22 JW.+24
JWO+16 JWW+10 JWs+34 JWy+23 Ja+21 Jb-33 Jb.-25 Jbd-20 Jc+28 Jc.+19 JcG+28 Jcs+57 Jcy+14 Jd-23 Jd,-5
Jd.+50 Je-49 Je.-30 Jed-36 Jf+39 Jf.-7 JfC+22 JfI-22 Jfs+12 Jfy+35 Jg+9 Jh+26 Jhb+48 Ji+40 Jj-16
Jj.+6 Jjn-40 Jk+35 Jl-24 Jn-63 Jn,-25 Jn.-55 Jo-12 Jp-19 Jp,-26 Jp.-39 Jpy+11 Jq-21 Js+103 Js,-19
Js.+11 JsC+14 JsI+35 JsM+41 JsW+41 Jss-6 Jt+51 Jt.+26 Ju+49 Jv+23 JvM+36 Jw-38 Jw.-19 JwI-28 Jx+43
Jx.+39 Jy+58 Jy&+34 Jy.+49 JyJ+13 Jyc+41 Jyn-31 Jyt+14 Jz+2 Jz.+60 K&-29 K,+4 K,w+35 K.+10 K?-24
KI+12 KJ+2 KJ,+5 KO+29 KR+11 KT-14 KW-3 Kc+12 Ke+5 Kg+22 Kh+21 Kj+19 Kn-24 Kp+18 Ks+30 Ks.+26 Kt+7
Kw+35 Ky+54 Ky.+18 KyJ+31 Kz+28 L&-18 L&J-12 L.-5 L?-19 LJ+17 LJ.+28 LM-16 LM.-16 Ld-14 Ld.-21
Lh-16 Lp-10 Ls-25 Ls.-15 Ly+27 M&-11 M&M+29 M&y+21 M&z+8 M,+18 M,y-1 M.-27 M?-22 MC-19 MCI-19 MD+11
ME-12 ME.-28 MEI-9 MEM-19 MEp-1 MG+7 MH+26 MI-58 MI&-15 MI,-12 MI.-51 MIE-12 MII-28 MIJ-20 MJ-59
MJ.-46 MJI-12 MK-12 MM-1 MM.+36 MME-9 MMI-39 MMs-44 MP-30 MP&-24 MQ-27 MR+14 MT+7 MW-12 MW.-23 Ma+7
Mb+5 Mbd+22 Mc-9 Mcg-21 Md-22 Md.-32 MdI-34 Mdw-30 Me-27 Mf-13 Mg-30 Mg.-21 Mh-11 Mj+16 Mn-7 Mn.+12
MnJ-32 Mp-49 Mp.-24 Ms-15 Ms&+1 Ms.-44 MsE-1 MsI-32 MsJ-37 MsW-15 Msc-23 Mse-7 Msg-16 Mt-34 Mv-20
Mw-36 Mx+21 My-34 Mz+35 Mz,+11 N&-25 N,+1 N.-37 N?-27 NH-25 NI-10 NI.+3 NJ+31 NK+23 NO-34 NO.-27
NT+23 Nc+10 Nd+20 Ne+23 Nf-17 Nn-31 Np-16 Ns+8 Ns,+32 Nv-12 Ny-1 Ny,-8 Ny.-41 O&-11 O&c+35 O&f+19
O&s-29 O&y-16 O,-7 O,&+16 O,.+24 O,a+5 O,s-19 O.+5 O:-30 O?-24 OA-21 OAf-24 OB+23 OC+11 OD+39 OG+25
OG.+20 OGJ+23 OH+11 OI+24 OI&-23 OI,-37 OI.+6 OId+35 OIe+34 OIj+38 OJ-8 OJ,-32 OJ.+24 OJd+30 OK-22
OM+10 ON-12 OO+30 OQ-5 OR+36 OT-25 OV-12 OV.-42 OW-11 OWs+2 Oa+3 Oai-32 Ob-2 ObC+2 Obd+13 Obn-28
Oc+19 Od+37 Od,+26 Od.+51 OdJ-3 Odh+26 Oe-7 Oe.-27 OeG+33 OeI+7 Oeb+24 Oed-11 Oej-2 Oes+26 Of-5
Og-21 Oh+3 Ohb+29 Ohj+12 Oi+2 Oj+10 Ojd+18 Ok-3 Ol-49 OlT-17 On-55 On.-35 On:-17 Op-15 Op,+34
Op.+33 Ope+20 Oph+20 Or-24 Ory-20 Os+15 Os,+37 Os.-29 OsW+47 Osc+25 Osy+56 Ot+23 Ov+23 Ow-19 Ox-5
Ox.+36 Oy+28 Oy.+37 Oys+27 Oz-3 Oz.+51 OzI-32 OzJ+12 Ozs+10 P&-18 P&J-4 P,-38 P,I-22 P,W-32 P.+9
P?-34 PG-2 PH+27 PHJ+23 PI-43 PJ+2 PK+42 PKs+34 PKy+29 PV-15 PW-13 Pc+14 Pe+14 Pg+15 Pj+26 PjK+26
Pn+2 Pp-9 Ps+43 Pt+26 Pw+19 Py+40 Py,+12 Q&-25 Q,+9 Q.+26 Q?-41 QE+2 QG+17 QI-30 QI.+4 QI?-6 QIn-28
QIy-19 QJ-11 QJ?-6 QM-11 QO-10 QQ-19 QR-10 QR?-9 QW-7 Qb-22 Qb?-10 Qd+41 Qe-20 Qey-8 Qf+20 Qh-17
Qh?-16 Qhu-9 Qj+19 Ql-20 Ql.-20 Qn-54 Qn.-36 Qo-14 Qp-1 Qq-26 Qs+13 Qu+22 Qud+12 Qup+23 Qv+6 Qy-7
Qy?-21 Qyn-24 R&-13 R&c+39 R&y+17 R,-9 R,I-15 R,R+35 R,s+12 R.+37 R?-26 RH+25 RI-21 RJ+61 RJ.+31
RK+59 RL+5 RM-7 RO-18 RP-3 RR+32 RT+20 RW+4 RW.+18 RWy+35 Ra+8 Rb+9 Rc+68 Rc&+25 Rc.+35 RcJ+22
Rcy+14 Rd+49 Re+43 Red+36 Rf-12 Rfy-23 Rh+10 Ri-12 Rj+26 Rk+12 Rl+12 Rn-30 Rn.-31 Rp+33 Rs+1 Rt-16
Rw+21 Ry+24 Ry&+18 Ry.+46 RyK+29 Ryc+31 Ryy+22 Rz+17 T&+15 T,-25 T.-58 T:-27 T?-37 TA+20 TC-17
TD-28 TH+15 TI+8 TI.-28 TJ-36 TJJ-32 TK+9 TL-21 TM+4 TN+18 TO-31 TOe-14 TP+16 TPK+16 TQ-7 TR+13
TT-34 TV-8 TVI-13 TW+19 TWJ+31 TWj+19 TWp-14 Ta-18 Tb-44 Tc+6 Td-30 Td,+16 Td.+7 Te+20 Tf+23 Th-44
ThC-7 Thb-29 Ti-1 Tj+12 Tk-1 Tl+1 Tl.-17 Tn-21 Tn.-10 To-6 Tp-41 Tr-15 Ts-36 Tsh-25 Tss+23 Tsy+6
Tt+49 Tts+34 Tu-5 Tud-5 Tv+7 Tw+34 Tx-46 Tx.-7 Ty-39 Ty.-37 Ty?-10 Tyc-18 Tye-16 Tyh-15 Tyy-18
V&-20 V&f+19 V,+11 V.-21 V?-17 VG-10 VJ+17 VJ.+38 VR-10 VT+18 VV-9 VW+8 Vb-6 Vd+24 Ve+34 Vf-14 Vh+3
Vk-17 Vs-58 Vs.-22 Vv-24 Vw+36 VwR-10 Vy+33 Vy.+8 VyJ+36 VyV+1 Vyw+39 Vyy+31 W&-26 W&,+18 W&.-53
W&I-12 W&J-5 W&W+37 W&c+28 W&p-19 W&s-5 W&y+62 W,+14 W,&+37 W,.+25 W,R+23 W,n-8 W,s+61 W,v-29
W,y+13 W.+28 W:+6 W?-38 WA+35 WB+7 WD+24 WE-16 WG+16 WG,+39 WG.+56 WGG+11 WGJ+33 WGy+7 WH+21 WI-5
WI&-29 WI,-44 WI.+20 WJ,+21 WJ.-1 WJG+18 WJJ+50 WJM+36 WJW+6 WJv+32 WJy+23 WK+30 WKy-2 WM-4 WM&+21
WM.-37 WN-10 WO+44 WO&+1 WO.+39 WOG+23 WP+17 WR+9 WT+3 WV-14 WW+48 WW.+35 WWJ+39 Wb-13 Wc+16 Wd-13
Wd,+2 WdJ-16 We-34 We.-9 Wf-12 Wf.-15 Wg-27 Wj+31 Wj,+6 Wjs+19 Wjt+5 Wjy+24 Wk-7 Wl+4 Wn-39 Wn.-35
Wo-14 Wp+9 Wp.+54 Wq-36 Ws+48 Ws&+27 Ws,+13 Ws.+65 WsG+26 WsJ-28 WsO+5 WsW+28 Wsp-25 Wss+46 Wsy+16
Wt+6 Wv+4 Ww-42 Wy+33 Wy&+38 Wy.+40 WyJ-23 WyW+48 Wyc-15 Wyj+10 Wyp-7 Wys+27 Wz+32 Y&-40 Y,+7 Y.+12
YD-15 YH-8 YJ+43 YO+10 YV+4 YW+24 Yh+10 Yk+1 YkV+8 Ys-11 Yw-19 Yy-15 ^+43 ^&-44 ^&&-5 ^&,-45 ^&.-67
^&?-19 ^&D-33 ^&I-55 ^&J-31 ^&R-23 ^&n-10 ^&s-29 ^&x+35 ^&y-38 ^&z+14 ^,-1 ^,&-66 ^,,-58 ^,.-65
^,A+33 ^,B-8 ^,I-26 ^,J+36 ^,O-4 ^,R-20 ^,T-35 ^,V-38 ^,a+25 ^,b+28 ^,d+51 ^,e+5 ^,f+3 ^,i+24
^,n-59 ^,p-16 ^,s+31 ^,t+37 ^,v-28 ^,x+44 ^,y-11 ^,z+35 ^.-56 ^:-26 ^:,-42 ^:I-30 ^:s-24 ^?-118
^A+6 ^A,+49 ^A.-44 ^AR+46 ^As+62 ^Ay-30 ^B-24 ^B,+3 ^B.-42 ^BJ-7 ^BW-32 ^Bk-13 ^Bn-8 ^Bv-29 ^By+27
^C+29 ^D+37 ^D,+26 ^De+31 ^Dj+9 ^Ds-44 ^E-38 ^E&-14 ^E,-24 ^E.-42 ^EC-36 ^EG+10 ^EI-30 ^EJ-25 ^Ed-8
^En-22 ^G+22 ^G,-20 ^GI-30 ^Gj+29 ^H+66 ^H,+34 ^I-50 ^I&-50 ^I,-16 ^I.-126 ^I:-19 ^IE-20 ^II-43
^IJ-83 ^IN+12 ^IO+25 ^IW-37 ^Ia+3 ^Ib+19 ^Id+76 ^Ie-10 ^Ig-27 ^Ih+17 ^In-45 ^Ip-36 ^Iq-17 ^Is+11
^Iw-26 ^Ix+31 ^Iy-24 ^Iz+37 ^J+2 ^J&+44 ^J,+45 ^J.-110 ^J?-20 ^JB+10 ^JE-27 ^JI-42 ^JJ-23 ^JW+23
^Jb-39 ^Jc+40 ^Jd+10 ^Je-22 ^Jf+9 ^Jh+23 ^Jj-36 ^Jn-47 ^Jp-5 ^Js+50 ^Jt+36 ^Jx+28 ^Jy+5 ^K+2 ^L-9
^L&-12 ^M-36 ^M&+8 ^M.-46 ^MC-19 ^ME-3 ^MI-11 ^MJ-40 ^MM-45 ^MP-24 ^MW+28 ^Md-45 ^Me-24 ^Mg-15
^Mh+9 ^Mn-35 ^Mp-30 ^Ms-61 ^Mv-21 ^Mz+35 ^N-32 ^N.-42 ^Ns+23 ^O+8 ^O,-31 ^O.-31 ^OI+14 ^OJ-19
^OV-35 ^OW+20 ^Oa-32 ^Ob+5 ^Oc-12 ^Od+17 ^Oe-19 ^Oh+25 ^Oj+23 ^Ol-28 ^On-39 ^Op+26 ^Or-20 ^Os+68
^Ox+39 ^Oy+29 ^Oz-1 ^P-1 ^P,-49 ^Q-38 ^Q&-8 ^Q?-24 ^QI-16 ^Qe-17 ^Qh-17 ^Qn-30 ^Qo-14 ^Qy-36 ^R+17
^R,+29 ^Re+37 ^Rf+37 ^Rn-19 ^Rs+19 ^T-59 ^T.-45 ^Th-19 ^Tt+34 ^V-22 ^V&-12 ^Vy-35 ^W+30 ^W&-39
^W,+9 ^W.-48 ^W?-35 ^WI-50 ^WJ-65 ^WV-37 ^Wd+37 ^Wj+13 ^Ws+23 ^Wy-8 ^Y-10 ^Y.-44 ^Yk-22 ^a+63
^aC+36 ^aO-22 ^ad+72 ^ai+25 ^aj+11 ^ap+73 ^az+30 ^b+32 ^b,-16 ^bd+62 ^bj+28 ^c+25 ^c.-48 ^cT-39
^d+78 ^d&+49 ^d,+72 ^d.+114 ^d:+51 ^dE-36 ^dI-6 ^dJ-13 ^dM+71 ^dO+39 ^db+34 ^de-38 ^dh-14 ^dl-29
^dn-19 ^dp-42 ^ds+8 ^dt-31 ^dy+32 ^e-5 ^e&-48 ^e,-19 ^e.-80 ^eI-43 ^eJ+38 ^eT-27 ^eb+39 ^ed+32
^ef-29 ^eg-41 ^ej+43 ^el-33 ^ep+23 ^es-29 ^et+21 ^ey+2 ^ez-15 ^f+3 ^f&+31 ^f,-24 ^f.-44 ^fA+47
^fC+38 ^fH+23 ^fJ-70 ^fM-32 ^fP+27 ^fT-24 ^fW-3 ^fd-43 ^fi-27 ^fn-33 ^fr-15 ^fs-34 ^ft+43 ^fw-42
^fy-26 ^g-97 ^g,-21 ^g.-20 ^gI-29 ^gJ-18 ^gs-48 ^h-24 ^h&-25 ^h,-42 ^hI-31 ^hJ-37 ^hb+41 ^he-10
^hj+27 ^hp+3 ^i+22 ^i&-18 ^iA+31 ^iI-40 ^iO-30 ^iP+10 ^ia+2 ^id+42 ^if+24 ^ig-19 ^ih+55 ^ij+22
^in-79 ^ip+39 ^it+39 ^ix+46 ^iy-13 ^iz+26 ^j+53 ^j,+48 ^j?-40 ^jI+9 ^jW+20 ^jd+55 ^jn-5 ^jt+31
^jx+8 ^jy+24 ^k-40 ^k&-21 ^k.-27 ^ks-44 ^ky-6 ^l-81 ^l&-17 ^l,-42 ^l.-48 ^l:-31 ^lI-29 ^lO-32
^lT-39 ^lb-40 ^ld-54 ^le-10 ^ll-52 ^lp-22 ^ly-13 ^n-63 ^n&-29 ^n,-3 ^n.-126 ^n:+11 ^n?-23 ^nI-23
^nJ-29 ^nK-22 ^nc-49 ^ns-7 ^ny-39 ^o-62 ^o&-32 ^o,-16 ^o?-39 ^oA-17 ^oI-11 ^oJ-14 ^oT-16 ^oc-17
^od-13 ^oi-23 ^ok-20 ^oo-36 ^op-15 ^os-17 ^ov-6 ^oy-24 ^p-18 ^p&+28 ^p,-7 ^p.-81 ^p?-28 ^pI-42
^pJ-49 ^pT-8 ^pW-18 ^pd+2 ^pe+2 ^pj-31 ^pn-50 ^pp-13 ^ps-25 ^pw-25 ^py+26 ^q-89 ^q,-62 ^qI-19
^qM-12 ^qN-13 ^qO-25 ^qW-35 ^qd-40 ^qe-46 ^qh-23 ^qi-30 ^ql-5 ^qn-37 ^qo-27 ^qp-12 ^qs-17 ^qv-17
^qw-7 ^qy-36 ^r-90 ^r,-49 ^r.-44 ^r:-28 ^rT-35 ^ri-13 ^rs-38 ^ru-21 ^ry-7 ^s+23 ^s&+22 ^s,+16
^s.-90 ^sE-40 ^sH+19 ^sI-50 ^sJ+62 ^sM-54 ^sO+31 ^sP-17 ^sR+20 ^sV-40 ^sW+37 ^sb+14 ^sc+4 ^sd+53
^se+74 ^sf+75 ^sg-46 ^sh+2 ^sj+54 ^sn-23 ^sp-22 ^ss-16 ^st+8 ^sw+24 ^sy+64 ^sz+26 ^t+97 ^t,+60
^t.+36 ^tG+37 ^tH+32 ^tJ+13 ^tK+17 ^tR+8 ^ti+11 ^tj+15 ^ts+65 ^tw+39 ^ty+36 ^u-28 ^u,+1 ^up-11
^v-62 ^v&-68 ^v,+3 ^v.-52 ^v:-19 ^vI-37 ^vJ-47 ^vM-15 ^vO-38 ^vl-18 ^vq-22 ^vs-43 ^vy-25 ^w-66
^w,-59 ^w.-39 ^w?-13 ^wI-18 ^wM-32 ^wb-20 ^wd-63 ^we-32 ^wf-34 ^wh-18 ^ws-42 ^wu-40 ^wv-26 ^wy-53
^x+129 ^x&+48 ^x,+52 ^x.+109 ^xD+40 ^xI+24 ^xJ+44 ^xO+42 ^xd+12 ^xp+27 ^xs+41 ^xy+66 ^y+16 ^y&-15
^y,-34 ^y.-56 ^y?-19 ^yA-11 ^yE+21 ^yI-46 ^yJ-44 ^yM+17 ^yN-11 ^yO+45 ^yP+29 ^yT+14 ^yW-11 ^ya+24
^yc+31 ^yd-9 ^ye-34 ^yf+39 ^yh-5 ^yj-16 ^yl-47 ^yn+17 ^yp-37 ^ys-55 ^yt+31 ^yu-26 ^yx+33 ^yy+13
^yz+40 ^z+84 ^z,+67 ^z.+89 ^z:+40 ^zJ+41 ^zO+45 ^zj+4 ^zs+31 ^zy+40 a&+42 a,+38 a.+68 a:-31 aA+18
aC+19 aD+18 aG+38 aH+5 aI+53 aJ+41 aK+17 aL+30 aM+16 aN-11 aO-28 aQ-10 aR+9 aT+42 aW+14 aa+24 ac+22
ad+57 ad&+44 ad,+18 ad.+57 adD+20 adG+26 adI+42 adJ+29 adL+20 adM+16 adO+23 adR+7 adT+32 adW+15
add+37 adj+20 adp-1 ads+17 ady+45 adz+16 ae+38 af+34 ag+32 ah-22 ai-8 ai.+6 aiJ+10 aid+30 ain-28
aip-29 aiy-13 aj+30 ajd+5 al+33 an-43 ap+44 ap.+38 app+27 as+30 at+7 au+7 av+22 aw+5 ay-10 ayd-23
az+35 az&+21 b&-3 b,-24 b,&-13 b,I+7 b,J+32 b,c+20 b.+32 b:+9 b?-20 bB+23 bC+25 bCO+31 bCs-17
bCy+16 bD+23 bG+8 bH+30 bI+38 bJ+18 bK-24 bL-40 bLd-21 bM-15 bO-7 bQ+11 bR+29 bW-9 ba+12 bb-11
bc+35 bd+46 bd&+30 bd,-5 bd.+29 bd:+6 bdD+16 bdG+7 bdI+41 bdJ+42 bdL-19 bdO+20 bdj+21 bdl+38 bdn+31
bdp+7 bds-35 bdy+11 bdz+12 be-15 bf+14 bh+34 bi-18 bj+6 bjd+17 bl+20 bn-20 bn.-40 bp+14 bp.+16
bp?-21 bs-25 bu+11 bw+27 bx-24 by+32 bz+19 c&+8 c&t+18 c,+43 c,&-21 c,n+27 c,q+29 c.+34 c:-33
c:.-33 c?-42 cG+46 cG.+28 cH-11 cH.-15 cI+55 cI.-21 cII+19 cJ+40 cJ,+10 cJ.+45 cJG+24 cJH+19 cJI+5
cJJ+57 cJs+15 cJy+22 cK-4 cKJ+25 cKy+30 cM+50 cO+16 cR+60 cR.+24 cRJ+29 cT-15 cW-22 cb+13 cc-35
cd+36 cd.+46 ce+19 ceI+9 cf+23 cf.-8 cfy+13 cg-43 cg.-25 ci+27 cj+25 cn+27 cp+13 cp.-31 cpJ+17
cpp+27 cq+40 cs-11 cs,+37 cs.-22 cs?-13 csI+15 csJ-18 css+26 csy+4 ct+18 cw+65 cw.+35 cwJ-8 cwe+26
cwy+44 cx-17 cy+65 cy,+29 cy.+53 cyI-11 cyJ+53 cys+25 cyy+1 cz+23 d&+23 d&,-28 d&.+51 d&D+12 d&I-56
d&M-2 d&O+27 d&W+37 d&a+16 d&d+27 d&p+28 d&s+40 d&y-7 d&z+11 d,+30 d,&-18 d,.+11 d,D+36 d,G+37
d,I+35 d,J+78 d,O+17 d,Q+24 d,W-15 d,a+3 d,d-22 d,e-30 d,f-9 d,i+1 d,j+6 d,n+2 d,p+35 d,s-5 d,x+14
d,y+12 d,z+21 d.+77 d:+65 d:,+44 d:a+7 d?-57 dA+35 dB+23 dC-18 dD+54 dD.+35 dE-38 dG+45 dG.+17
dGs+6 dH-3 dHJ+5 dI+6 dI&-14 dI,-13 dI.+2 dII+6 dIJ+14 dIy+23 dJ+25 dJ&+18 dJ,+30 dJ.+4 dJE-30
dJI-40 dJJ+38 dK-37 dL-34 dL.-44 dL?-17 dLJ+20 dM+75 dM.+73 dN-14 dO+76 dO,+35 dO.+47 dOA+13 dOI+36
dOJ+17 dOp+44 dOz+5 dP-9 dQ+9 dR+18 dR.-19 dT-34 dV+1 dW+7 dW,+11 dW.+12 da+7 dai-13 db+25 dc-53
dd+2 dd.-36 de-2 de&-20 de,-31 de.-12 ded+51 df-10 dg-43 dg.-37 dgI+14 dgJ-33 dh-39 dhb+29 di-6
dj+66 dj,+8 dj.+46 dl-2 dl,+33 dl.+8 dld-29 dn,-45 dn.-7 do-11 dp+1 dp&-24 dp,-7 dp.-49 dpI+12
dpJ-9 dpp-12 dps-12 ds-32 ds,+11 ds.-16 dsL-35 dss-11 dt-23 du+24 dv+6 dw-5 dwy+12 dx+14 dy+3
dy&-27 dy,-18 dy.+68 dyG+10 dyI+24 dyJ+28 dyO+16 dyj+1 dys+15 dyy+18 dz+28 dz,+7 dz.+24 e&-13
e&.-20 e&I-26 e&W-13 e,-11 e,&-12 e,.-44 e,I-38 e,s+45 e,y-38 e.-15 e:+16 e?-36 eC+16 eD+31 eG+65
eGs+24 eH+37 eI-8 eI&-6 eI,-24 eI.-71 eII-38 eIp-29 eIs+38 eJ+23 eJ,+2 eJ.-36 eJI+34 eJJ+46 eJd+40
eJw-20 eK-30 eK.+3 eL-31 eM+1 eM.-42 eN-19 eN.-17 eO+39 eOI+28 eQ+11 eR+32 eT-28 eT?-7 eTy-27 eV+8
eW-6 eW.-36 eWG+30 eWJ+39 eWO+20 eY+38 ea+42 eb+54 ebd+28 ec+31 ec&+28 ed+36 ed&+7 ed,-3 ed.+65
edI-9 edJ+9 edO+4 edg-33 edj+39 edl-26 edp-8 eds-53 edy+38 edz+6 ee.+30 ef+43 ef&+24 efH+20 efI-5
efW+28 eg-63 eg&-11 eg.-24 egp-13 eh-3 ei+24 ej+34 ej&-25 ej.+41 ejI+13 ejO+42 ejW+9 ejb+8 ejd+12
ejs+6 ejy+20 ejz+41 ek+36 el-48 eld-31 en-23 en,-25 en.-39 ep+25 ep&+3 ep,+20 ep.+12 eq+5 es+4
es,+37 es.-30 esW+33 et+19 ets+21 ev-26 ew-31 ew.-43 ex-12 ey+31 ey&-23 ey.+15 ey?-8 eyW-6 ez+1
ez,+9 ez.-14 f&+6 f&f+19 f,+10 f,&-4 f.+9 f?-22 fA+49 fAs+55 fC+58 fCI+23 fCJ+41 fCs+25 fD+2 fG+40
fH+18 fH.-6 fHJ+9 fHs+18 fHw+16 fHy+15 fI-6 fI.-9 fIJ+1 fId-44 fJ+12 fJ.-5 fJJ+14 fJs+31 fK+31
fM-40 fMw-21 fO+5 fP+39 fPs+27 fQ+19 fR+28 fT+16 fT.-30 fV+69 fV.-30 fVJ+32 fVw+18 fVy+56 fW+26
fW&+31 fW.+24 fWG+29 fWW+13 fWy+8 fY+25 fb-2 fc+34 fc,+19 fc.+37 fcJ+31 fcf+11 fd-46 fd,-22 fds+61
fe+11 ff+37 fh-6 fi-22 fj+29 fk+26 fks+49 fky+18 fl+21 fn-23 fn.-48 fp-26 fp&+6 fp.-30 fps-24 fq-35
fr-15 fs+25 fs.+28 fsK+20 fss+1 ft+31 ft.+33 fts+7 fv-20 fw+23 fy+27 fy,-5 fy.-37 fyH+35 fyJ+33
fyK+31 fyc+26 fyn-30 fz-21 g&-14 g&J-7 g&g-14 g&y-17 g,-13 g,.-14 g,s-16 g.-91 g?-13 gD-22 gI-16
gI&-2 gI,+12 gI.-11 gJ-79 gJ.-38 gJJ-33 gJs-33 gK-9 gO+27 gR+5 gV-28 gW-55 gW.-17 gc-7 gd-18 ge-17
gf-8 gg-22 gg.-13 gj+24 gn-18 gn.-18 gp-10 gp.-13 gs-65 gs.-21 gsW-33 gv-5 gw-24 gw.-15 gy-24 h&-21
h&.-19 h&z+6 h,-5 h,&-10 h,c-21 h.-24 h:-5 h?-28 hA+7 hC+28 hCL-7 hCs+3 hD+27 hG+15 hH-19 hI-9
hI&-18 hI.-33 hII-27 hJ-6 hJ.-39 hL-30 hM-33 hO+4 hQ+9 hR+57 hT-6 hV+9 hW-17 ha+16 hb+32 hb.-11
hbC+34 hbd+50 hbp-30 hbz+13 hc+15 hd+29 hd.-14 hd?-23 hdO+37 hds+26 he-4 heI-10 hf+9 hg+33 hh-9
hi+3 hj+17 hjb+22 hjp+6 hl-4 hn+6 hn.-38 hp-12 hp&-2 hp,-16 hp.-25 hpJ-31 hpO+26 hps+28 hs-21
hsH-19 hu+6 hv-25 hw-1 hy+30 hyD+7 hz+23 i&+18 i,+17 i,T-14 i.+23 i:-31 i?-32 iA+21 iAs+21 iD+31
iG+27 iH+2 iI-3 iJ+47 iJd+10 iK+12 iL+4 iM-12 iN-18 iNO-19 iO-6 iO.-30 iP+27 iPy+10 iQ-17 iR+18
iT-5 iV+26 iW+11 ia+7 iaI+3 iaO-32 iad+17 iaj+2 ian-34 ias+4 ic+18 id+61 id&+42 id,+23 id.+43
idI+19 idJ+6 idO+31 idy+38 ie+27 if+17 ifH+24 ig-24 ih+23 ih,-8 ihd+38 ii-23 ij+7 ijd+11 ijx+2
ik+38 iks+12 il-1 in-41 in&-28 in,-13 in.-25 ins-24 io-17 ip+25 ip.-29 ipy+39 iq+29 is+31 it+12
its+12 ity+30 iw+49 ix+38 ix,+4 ix.+47 ixO+25 ixs+1 ixy+27 iy+56 iyd+8 iyn-15 iz+39 iz&+26 j&-5
j&J+26 j&W-28 j&c+34 j&f+8 j&y+8 j,+45 j,&+28 j,a+5 j,d+16 j,i+3 j,j+22 j,s+5 j,y+6 j.+68 j:-28
j?-61 jC+41 jD+2 jE-19 jG+46 jGy+10 jH+24 jI+32 jI,+14 jJ-22 jJ,+34 jJ.+16 jK+31 jKs+26 jM-15 jO+7
jO,+5 jO.+38 jP+10 jQ+14 jR+41 jV-22 jW+8 jW.+51 jWG+29 jWO+5 jWs+24 jWy+6 ja+23 jb+27 jbd+23 jc+54
jd+51 jd&+6 jd,+12 jd.+43 jdO+11 je-11 jed+23 jf+21 jh+13 jhb+11 ji+28 jj+11 jj.+6 jl+22 jn-22
jn,+39 jn.-52 jp+46 jp&+6 jp,+34 js+53 js&+20 js,+23 js.+26 jss+4 jsy+12 jt+27 jt.+25 jw+29 jx+15
jx.+9 jy+50 jy&+29 jy,+10 jy.+47 jya+4 jyc+33 jz+28 jz.+35 jzG+13 k&-46 k&.-32 k,+3 k,&-5 k.-19
k?-23 kH+11 kHd+18 kI-6 kJ+2 kO-29 kQ+21 kR+28 kR.+20 kV+15 kW-37 kd+39 ke-9 kf-7 kn-13 ko-17 kp-2
kq-12 ks-20 ks.-17 kss-3 ksy+21 kw-19 ky+7 l&-24 l&d-17 l,-46 l,.-38 l,I-12 l,J+21 l,L-22 l,M-22
l,T-16 l,b-17 l,e-9 l,h-26 l,p-14 l,y-21 l.-76 l:-31 lA-14 lC-17 lI-50 lI,-17 lI.-25 lJ-28 lL-27
lM-34 lO-52 lO,-24 lOb-27 lR-19 lT-48 lTO-26 lTd-18 lTe-22 lTh-24 lTy-23 lW-23 lb-72 lbL-21 lbd-46
ld-89 ld,-35 ld.-52 ldl-42 le-27 lf-3 lh-43 li-1 li,-17 lj+34 ll-57 ll,-29 ll.-22 llI-11 llL-14
llO-23 llT-32 llb-21 ln-40 ln.-33 lp-36 ls-24 ly-36 lyl-13 n-68 n&+1 n&,-22 n&.-39 n&I-6 n&J-13
n&N-15 n&e+26 n&y-5 n,+2 n,.-25 n,A+12 n,I-29 n,J+17 n,N-36 n,Q-23 n,R-18 n,T-7 n,W-12 n,a+28
n,c-29 n,e-34 n,f-21 n,i-12 n,j-29 n,l-36 n,n-29 n,o-10 n,p+21 n,q-12 n,s+34 n,y-6 n.-68 n:+13
n:e-17 n?-26 nA+32 nD-23 nG+7 nH+30 nI-40 nI.-42 nJ+42 nJ.+16 nK-30 nM-8 nN-42 nO-20 nP-20 nQ+6
nR-15 nT-12 nV-21 nW+35 na+49 nc+9 nc.-49 nd-53 nd.-39 ne-6 nf+9 ni+14 nj-36 nk+25 nl-36 nn-46
nn.-19 no-15 np+4 np.-42 nq-27 ns+47 ns,-8 ns.-41 nsJ+25 nsq-26 nt+36 nv-9 nw+21 nx+27 ny-3 nyc-43
o&-38 o&?-13 o,-27 o,&-8 o,T-7 o,n-6 o.-49 o:-6 o:v-5 o?-48 oA-18 oAs-17 oH-28 oI-19 oI?-17 oJ-36
oJ?-19 oK-24 oQ-12 oT-18 oT?-8 oTs-16 oTy-13 oV-17 oW-12 oc-27 ocs-17 od-14 oe-14 of-22 oh-19
ohs-19 oi-32 ok-20 oks-18 on-16 oo-33 ooh-19 op-15 op?-15 oq-10 os-46 os?-20 osy-11 ot-26 ov-7
ox-30 oy-36 oy,-9 oy?-25 oyc-26 p&-2 p&,-22 p&.-54 p&?-21 p&I-6 p&d+20 p&e-24 p&p-30 p&s-19 p&y+37
p,+30 p,&+2 p,.+3 p,I-5 p,J-26 p,R+40 p,a+29 p,e+30 p,i+5 p,n-10 p,p-14 p,s-1 p,z-10 p.-23 p:+3
p:.-5 p?-43 pA-6 pC+18 pD+26 pE-40 pEd-30 pG+45 pH-3 pI,+7 pI.+15 pII-9 pIJ+27 pIp-19 pJ-1 pJ,-3
pJ.-23 pJJ-27 pJe-10 pK-16 pL-3 pM-51 pN-23 pO+42 pO&+26 pP+5 pQ+18 pR+40 pT-9 pTs-8 pV+9 pW-18
pa+16 pb+3 pc+17 pd+24 pd,+38 pe+20 pe.-6 peI-27 peJ-27 ped+45 pep-20 pez+6 pf+28 pg+5 pg.-25 ph+3
phb+10 pi+13 pj-4 pj&-18 pl-40 pll-16 pn+4 pn,-21 pn.+4 pp-25 pp.-26 ppG+27 ppJ-21 ppd-14 ppp+27
ps-6 ps,+28 ps.+7 psL-10 pss+10 psy-13 pt+51 pu+28 pv-26 pw-24 px-2 py+30 py,+23 py.+32 pyJ-26
pya-10 pyc+20 pyt+35 pz+10 q&-36 q,-97 q,.-28 q,f-17 q,n-15 q,s-37 q,v-6 q,y-18 q.-71 q?-36 qA-41
qD-18 qG-27 qH-30 qI-47 qI,-19 qJ-46 qK-47 qM-12 qMI-12 qN-17 qN,-8 qNy-8 qO-46 qP-22 qR-25 qT-25
qV-20 qW-67 qWI-31 qY-29 qb-25 qc-54 qd-61 qd,-24 qd.-33 qe-44 qep-32 qf-56 qg-6 qh-34 qhp-24 qi-46
qj-30 qjn-26 qk-16 ql-5 ql,-5 qn-46 qn,-37 qn.-20 qo-20 qo,-27 qo.-9 qp-39 qs-85 qsI-9 qsJ-13 qt-55
qu-11 qv-14 qv,-15 qw-17 qx+2 qy-85 qy,-34 qyI-27 qyW-20 qyn-28 qyo-12 qz-2 r&-18 r,-53 r,I-24
r,T-27 r,s-30 r.-83 r:-29 r:.-34 r?-18 rC-34 rD-16 rH-30 rI-30 rJ-12 rK-24 rL-28 rQ-7 rR-7 rT-46
rTL-15 rTs-14 rV-20 ra-50 rb-28 rd-53 rh-15 ri-20 rn-22 rp-42 rr-8 rs-56 rsC-22 rsy-27 ru-22 rx-22
ry-70 ryp-13 s&+22 s&.-60 s&I+28 s&J+36 s&M-33 s&W+36 s&a+5 s&c-8 s&f+33 s&j+28 s&s-29 s&t+30
s&y+57 s,+34 s,&-1 s,,+8 s,.-10 s,B+4 s,H+6 s,I-28 s,J-25 s,R+23 s,T+30 s,W+31 s,c+25 s,e+11 s,f+44
s,j+36 s,n-15 s,p+28 s,q-32 s,s+11 s,t+36 s,y-5 s.+13 s:-12 s:y+7 s?-63 sA+43 sB+44 sC-2 sC.+30
sCy-25 sE-8 sEI-25 sEd-19 sEg-10 sG+33 sG.+40 sGy+20 sH+43 sH&+30 sH,+12 sH.-23 sH?-20 sI+1 sI&-3
sI,-12 sI.-56 sII-51 sIJ+23 sIW+11 sIg-16 sIp-40 sIy+25 sJ+47 sJ&-7 sJ,+15 sJ.-2 sJI-16 sJJ+70
sJW+42 sJc+46 sJh+27 sJy+33 sK+5 sK&+7 sK.+27 sL-47 sL.-36 sM-29 sM.+33 sMI-13 sMW-37 sMg-15 sN-26
sO+49 sO&+34 sOG+16 sP+2 sPI-21 sQ+18 sR-6 sRc+19 sRy+7 sT+45 sV-24 sVy+31 sW+53 sW&+30 sW,+53
sW.+9 sWG+41 sWJ+79 sWK-2 sWM-34 sWO+43 sWW+40 sWc+32 sWg-34 sWj+7 sWp+9 sWs+13 sWy+38 sY+23 sa-19
sai+18 say-30 sb-8 sb,+36 sb.-19 sbd+24 sc+58 sc,+38 sc.-7 sc?-21 scJ+29 scK-29 scg-30 scw+35
scy+38 sd-16 sd.+53 sdy-26 se+1 se&+52 se.-35 seI-28 seJ+56 seW+53 sef+41 seg-16 sej+18 sep-7 sey+1
sf+49 sf.+40 sfH-6 sfV+7 sfW+42 sfc+37 sfk+12 sfy+35 sg-62 sg&-28 sg.-41 sgJ-30 sgV-13 sgg-13 sh-1
shO+12 shb+39 shd-1 shj+15 shp+11 si+33 sj+40 sj&+29 sj,+26 sj.+16 sjW+58 sk+28 sl+26 sn-4 sn&+18
sn,+30 sn.-42 snI-31 so-24 sp+11 sp&+5 sp,+2 sp.-36 spW-35 spy+27 sq-17 ss+18 ss&-9 ss,-6 ss.+29
ssG+10 ssI-60 ssJ-17 ssO+17 ssW+73 ssc+43 sse-15 ssf+45 ssh+23 ssj+1 sss-31 ssy+6 st+15 st.+30
sty+5 su+16 sv-5 sw+42 sw.-39 sx-29 sy+47 sy&+5 sy,-30 sy.+61 syH+15 syJ+31 syP+14 syW-2 syc-15
syd+39 syh-33 syy+47 sz-17 sz,+36 sz.-18 szJ+1 szy+24 t&+52 t&y+27 t,+72 t,B+37 t,J+2 t,j+21 t,q+32
t,s+23 t,t+24 t,w+29 t.+99 t?-24 tA+5 tB+38 tD+21 tG+23 tGs+26 tH+38 tHJ+7 tHw+32 tI-13 tJ+55
tJ.+44 tJy+15 tK+25 tKs+17 tM+15 tQ+16 tR+22 tR,+5 tT+27 tV+6 tW+45 tb+8 tc+15 td+30 td.+23 te+54
tf+41 ti+11 tik+12 tj+22 tj.+23 tjs+14 tk+12 tn+30 tp+43 tq+32 ts+68 ts&+45 ts,+39 ts.+37 tsK+12
tsj+9 tsn+9 tss+39 tt+28 tv+21 tw+59 twe+32 ty+38 ty,+6 ty.-1 tyG+8 tyj+2 tys+47 tyy+31 tz+34 u&-9
u,-29 u,&-13 u,s+1 u.-13 u?-16 uC-17 uJ-39 uM-17 ub-11 ubC-17 uc+1 ud-4 ud,-28 ud.+12 ue-11 uf-31
uj+24 up-6 up,-30 up.+23 us+15 ut+26 uts+26 uy-25 uz-15 v&-48 v&.-37 v&M-15 v&d-32 v&f-9 v&p-11
v&s-26 v&v-13 v&y-45 v,-14 v,&-24 v,.-30 v,B-10 v,s+14 v,v-13 v,y+12 v.-57 v:-10 v:,-19 v?-22 vB-19
vC+26 vG-27 vH-29 vI-23 vI&-14 vI,-22 vIJ-29 vJ-15 vJ&-20 vJ,-23 vJ.+1 vK+22 vM+21 vM&+29 vO-46
vO&-29 vO.+20 vOI-23 vOs-14 vT-8 vW+36 vW.-2 vb-12 vc-51 vd-17 vf-32 vj-22 vl-18 vn-11 vp-27 vq-31
vs-41 vs,-17 vs.-38 vv-33 vw-39 vy-19 vy.-34 vy?-20 vyJ+33 vyO-31 w&+32 w,-51 w,s-50 w,y-29 w.-36
w?-20 wB-13 wC-16 wE-18 wG+27 wH-28 wI-33 wI.-19 wJ-17 wJ.+11 wK-1 wM-5 wM.-36 wO-51 wR+9 wR.+27
wRW-10 wT+9 wV-21 wW-69 wW,-23 wW.+13 wbp-21 wc-41 wd-63 wd,-53 we-12 we.+47 wed-29 wez+33 wf-39
wf.+12 wfy-24 wg-4 wh-41 whp-18 wi-27 wn+31 wp-42 ws-113 ws.-36 wsf+9 wss-16 wsy-29 wsz-45 wu-40
wup-30 wv-43 wv,-25 wv.-37 ww-16 wy-80 wy,+1 wyI-34 wyp-6 wz-39 wz.+26 x&+68 x&.+33 x&x+25 x,+73
x,.+40 x,D+9 x,J+25 x,T+27 x,s+10 x,z+14 x.+133 x?-41 xD+17 xD.+14 xG+27 xG.+27 xI+37 xI.+36 xJ+12
xJ&+18 xJ.-21 xL+40 xM-3 xO+48 xO.+42 xOJ+31 xOd+12 xR+7 xT+31 xW+6 xb+17 xc+13 xd+14 xdO+10 xf+25
xj+6 xn+27 xn.+20 xp+34 xs+33 xs,+28 xx+43 xy+25 xy.-6 xyI+23 xyJ+26 xys+10 xz+11 y&-10 y&,+24
y&.-9 y&H+4 y&J+21 y&a+25 y&c+15 y&d-17 y&f+35 y&v-17 y&y-11 y,-6 y,&-4 y,,-29 y,.+11 y,G+10 y,I+15
y,J-37 y,Q+17 y,R+30 y,T-9 y,W+7 y,c+19 y,e-3 y,f-10 y,i+1 y,n-12 y,o-12 y,p+31 y,s-16 y,w-35
y,y-18 y,z+12 y.+29 y:-25 y?-71 yA+15 yA,+24 yB-30 yB.-21 yBs-30 yC+41 yD+13 yD,+18 yD.+1 yDz+9
yE-9 yEd-20 yEf+21 yG+47 yG.+22 yGs+36 yH+41 yH.-8 yHJ+26 yI-2 yI&-10 yI,-28 yI.-27 yII-31 yIJ-29
yIe-30 yIn-27 yJ+25 yJ&-26 yJ,+11 yJ.-19 yJ?-23 yJH+29 yJI-31 yJJ+29 yJP+10 yJW+21 yJe-4 yJy+22
yK+44 yK,+22 yK.+42 yL-12 yL&-10 yL.+16 yM-21 yM.-33 yMI-8 yN+3 yNI+9 yO-10 yO.+35 yOI-31 yOd+11
yOe+24 yP+30 yP.-38 yPH+23 yPK+31 yPj+26 yQ+15 yR+9 yR.+11 yT+3 yTy-16 yV+25 yV.+14 yVJ+25 yW+38
yW,-17 yW.+2 yWH+6 yWI+41 yWJ+25 yWp+49 yWq-28 yWs+4 yWy+1 ya+13 yad+9 yaj+3 yb+1 yb.+27 ybd+8 yc+8
yc&-26 yc,+27 yc.-47 yc?-24 ycG+8 ycH-4 ycI+24 ycJ+33 ycR+38 ycd+32 yce+9 ycj+33 ycp+32 ycw+54
ycy+33 yd+10 yd,+37 yd.+33 ydh-5 ye-27 ye,+21 ye.-37 ye?-20 yeC+16 yeI-55 yeJ-34 yeb+28 yed-19
yej+6 yes+48 yey-49 yf+37 yf.-14 yf?-14 yfC+3 yfH+12 yfJ+50 yfd+37 yfs+29 yg+25 yg.-19 yh-39 yhb-9
yhd-37 yi-26 yj+56 yj.+34 yj?-29 yjh+5 yjs+29 yk+10 ykH+18 yl-7 yl,-13 yl.+36 yld-25 yn-2 yn&+5
yn,+11 yn.-58 ynI-29 yo-17 yo.-12 yp-21 yp&-11 yp,+7 yp.-16 ypC-30 ypJ+26 yq-38 yr-19 ys+11 ys&+33
ys,-36 ys.+12 ysW+10 ysc-15 yse-23 ysj+9 yss+41 ysy-42 yt+28 yt,+11 yt.+1 ytG+19 ytH+7 ytJ+29
yts+28 yv+1 yw+31 yw.+26 yx-3 yx.-16 yxy+30 yy-5 yy&-13 yy,+21 yy.-7 yy?-11 yyI-30 yyJ+22 yyW+26
yyc+27 yyk+18 yyw+41 yyy+33 yz+4 yz.+18 z&+37 z&d+17 z,+74 z,&+6 z,.+42 z,I+43 z,a+7 z,i+10 z,j+3
z,n+42 z,s+17 z,x+18 z,y-16 z,z+28 z.+87 z:+44 z:,+16 z:M+26 z?-35 zD+15 zG+24 zG.+14 zH+5 zI+17
zJ+45 zJ,+19 zM+38 zO+55 zO.+54 zOI+24 zR+34 zV+15 zW+16 za+5 zb+28 zc+15 zd+23 ze-8 ze.-23 zf+18
zi+15 zj+28 zj,+3 zj.+28 zk+9 zn+45 zp+43 zs+23 zs&+29 zs,+18 zw+17 zx+21 zy+46 zy,+7 zy.+47 zz+29
"""
